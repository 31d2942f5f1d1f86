// The screen "Jobs": keeps states fresh, asks what waits in the PIM, explains schedules.
(() => {
  const MOVING = 2000;
  const QUIET = 20000;
  const TYPING = 300;

  const load = async (url) => {
    const response = await fetch(url, {
      headers: { 'X-Requested-With': 'XMLHttpRequest' },
    });
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  };

  const says = (element) =>
    element.querySelector('[data-pim-job-says]').dataset.pimJobSays;

  // By element, what was asked for it last: an older answer may come after a newer one.
  const asked = new WeakMap();

  const fill = async (element, url) => {
    const question = {};
    asked.set(element, question);
    const html = await load(url).catch(() => null);
    if (asked.get(element) !== question) return;
    if (html === null) element.textContent = element.dataset.pimLostText;
    else element.innerHTML = html;
  };

  const ask = (element) => fill(element, element.dataset.pimJobWaiting);

  // Screen readers are told of a new state, not of each product.
  const announce = (text) => {
    document.querySelector('[data-pim-jobs-announcer]').textContent = text;
  };

  const show = (element, html) => {
    const said = says(element);
    const focused = element.contains(document.activeElement)
      ? document.activeElement.id
      : '';
    element.innerHTML = html;
    if (focused) {
      // The link to a run that ended is gone; that of the last run takes its place.
      (document.getElementById(focused) ?? element.querySelector('a'))?.focus();
    }
    if (says(element) === said) return;
    announce(says(element));
    element.parentElement.querySelectorAll('[data-pim-job-waiting]').forEach(ask);
  };

  const follow = (element) => {
    let shown = '';
    const look = async () => {
      if (!document.hidden) {
        try {
          const html = await load(element.dataset.pimJobState);
          if (html !== shown) show(element, html);
          shown = html;
        } catch {
          // The next look may succeed; what is shown stays.
        }
      }
      wait();
    };
    const wait = () => {
      const moving = element.querySelector('[data-pim-job-active]');
      setTimeout(look, moving ? MOVING : QUIET);
    };
    wait();
  };

  const explain = (element) => {
    const field = document.getElementById(element.dataset.pimScheduleField);
    let timer;
    field.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const query = new URLSearchParams({ cron: field.value });
        fill(element, `${element.dataset.pimSchedule}?${query}`);
      }, TYPING);
    });
  };

  const each = (name, action) =>
    document.querySelectorAll(`[${name}]`).forEach(action);

  document.addEventListener('DOMContentLoaded', () => {
    each('data-pim-job-state', follow);
    each('data-pim-job-waiting', ask);
    each('data-pim-schedule', explain);
  });
})();
