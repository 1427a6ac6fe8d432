(function () {
  var said = document.getElementById("said"), may = document.getElementById("may-be-ipad");
  function mark(node) {
    var range = document.createRange(), selection = getSelection();
    range.selectNodeContents(node);
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }
  function tell(button) {
    said.textContent = "";
    setTimeout(function () { said.textContent = button.getAttribute("data-done"); }, 50);
    button.classList.add("done");
    setTimeout(function () { button.classList.remove("done"); }, 2000);
  }
  Array.prototype.forEach.call(document.querySelectorAll("button.copy"), function (button) {
    var value = button.previousElementSibling;
    button.hidden = false;
    button.addEventListener("click", function () {
      if (mark(value)) tell(button);
      else if (navigator.clipboard) navigator.clipboard.writeText(value.textContent).then(function () { tell(button); });
    });
  });
  if (may && navigator.maxTouchPoints > 1) location.replace(may.href);
})();
