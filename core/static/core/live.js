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
  /* select2 draws a box of its own beside the <select>; it needs the select's name. */
  function labelBoxes() {
    document.querySelectorAll("select + .select2-container").forEach(function (box) {
      var select = box.previousElementSibling, label = select.id && document.querySelector("label[for='" + select.id + "']");
      var text = select.getAttribute("aria-label") || (label && label.textContent.trim()) || select.name;
      box.querySelectorAll("[role=combobox], [role=textbox], input").forEach(function (part) {
        part.setAttribute("aria-label", text);
      });
    });
  }
  window.addEventListener("load", function () {
    labelBoxes();
    new MutationObserver(labelBoxes).observe(document.getElementById("content") || document.body, { childList: true, subtree: true });
  });
  document.querySelectorAll("[data-mb-expires]").forEach(function (element) {
    setTimeout(function () { element.remove(); }, 1000 * Number(element.dataset.mbExpires));
  });
  /* Copy a text that stands on the page; works without a network, and without https by marking it. */
  document.querySelectorAll("[data-mb-copy]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var source = document.getElementById(button.dataset.mbCopy), word = button.querySelector("[data-mb-word]") || button;
      function marked() {
        var range = document.createRange(), selection = window.getSelection();
        range.selectNodeContents(source); selection.removeAllRanges(); selection.addRange(range);
        return document.execCommand("copy");
      }
      function done() { word.textContent = button.dataset.mbDone; }
      if (navigator.clipboard && window.isSecureContext) {
        navigator.clipboard.writeText(source.textContent).then(done, function () { if (marked()) { done(); } });
      } else if (marked()) { done(); }
    });
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
