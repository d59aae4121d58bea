/* Live parts ask again every 20 s while somebody looks. No inline handlers and no eval: the pages' policy forbids both. */
(function () {
  "use strict";
  var EVERY = 20000, QUICK = 3000;
  setInterval(function () {
    if (document.visibilityState !== "visible" || !window.htmx) { return; }
    window.htmx.trigger(document.body, "mb:tick");
  }, EVERY);
  /* traffic as it is now: only a page that shows it asks this often */
  if (document.getElementById("watch")) {
    setInterval(function () {
      if (document.visibilityState === "visible" && window.htmx) { window.htmx.trigger(document.body, "mb:quick"); }
    }, QUICK);
  }
  /* what somebody is reading or about to press is not replaced under his hands */
  document.addEventListener("htmx:beforeRequest", function (event) {
    var part = event.detail.elt;
    if (!part.hasAttribute("data-live")) { return; }
    if (part.contains(document.activeElement) || part.querySelector("input:checked")) { event.preventDefault(); }
  });
  var open = [];
  document.addEventListener("htmx:beforeSwap", function (event) {
    open = Array.prototype.map.call(event.detail.target.querySelectorAll("details[open]"), function (part) { return part.id; });
  });
  document.addEventListener("htmx:afterSwap", function () {
    open.forEach(function (id) { var part = document.getElementById(id); if (part) { part.open = true; } });
    open = [];
  });
})();
