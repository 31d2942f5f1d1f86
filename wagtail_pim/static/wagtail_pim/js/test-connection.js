// Posts the form as it stands to the connection test and shows the findings in place.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-pim-test-connection] button');
  if (!button || button.getAttribute('aria-busy') === 'true') return;

  const panel = button.closest('[data-pim-test-connection]');
  const findings = panel.querySelector('[data-pim-findings]');
  button.setAttribute('aria-busy', 'true');
  try {
    const response = await fetch(panel.dataset.pimTestConnection, {
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
