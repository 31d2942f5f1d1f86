// The screen "Field mapping": without a script the browser's own menu prints it.
document.addEventListener('DOMContentLoaded', () => {
  document.querySelectorAll('[data-pim-print]').forEach((button) => {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  });
});
