/* A lost connection is said, not hidden: a thin bar with the time of what is still shown. */
(function () {
  "use strict";
  var bar = null, last = new Date();
  function two(n) { return (n < 10 ? "0" : "") + n; }
  function show(isOffline) {
    bar = bar || document.getElementById("mb-offline");
    if (!bar) { return; }
    if (isOffline) { bar.querySelector("[data-since]").textContent = two(last.getHours()) + "." + two(last.getMinutes()); }
    bar.hidden = !isOffline;
  }
  document.addEventListener("htmx:sendError", function () { show(true); });
  document.addEventListener("htmx:timeout", function () { show(true); });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.successful) { last = new Date(); show(false); }
  });
  /* A form is sent once: the second press of its button does nothing while the first is on its way. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || form.id === "changelist-form") { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 4000);
  });
})();
