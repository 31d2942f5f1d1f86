// Shows the findings of "Test connection" in place. Without this script the button
// posts the form to the same address and gets the findings as a page of their own.
document.addEventListener('click', async (event) => {
  const panel = event.target.closest('[data-pim-test-connection]');
  const button = event.target.closest('button[formaction]');
  if (!panel || !button) return;
  event.preventDefault();
  if (button.getAttribute('aria-busy') === 'true') return;

  const findings = panel.querySelector('[data-pim-findings]');
  button.setAttribute('aria-busy', 'true');
  try {
    const response = await fetch(button.formAction, {
      method: 'POST',
      body: new FormData(button.form),
      headers: { 'X-Requested-With': 'XMLHttpRequest' },
    });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    findings.innerHTML = await response.text();
  } catch (error) {
    findings.textContent = error.message;
  } finally {
    button.removeAttribute('aria-busy');
  }
});
