// Keeps the overview of a run up to date while it goes on, and loads its records when
// it has ended.
const SECONDS = 2;
const SECONDS_AT_MOST = 60;

class RunProgress extends window.StimulusModule.Controller {
  static targets = ['overview', 'announcement', 'trouble', 'troubleText'];

  static values = {
    url: String,
    resultsUrl: String,
    lostText: String,
    refusedText: String,
  };

  connect() {
    this.pause = SECONDS;
    this.isOver = !this.isActive;
    // Whoever comes back does not wait.
    this.comeBack = () => this.wait(0);
    document.addEventListener('visibilitychange', this.comeBack);
    this.wait();
  }

  disconnect() {
    document.removeEventListener('visibilitychange', this.comeBack);
    this.isOver = true;
    clearTimeout(this.timer);
  }

  get section() {
    return this.overviewTarget.firstElementChild;
  }

  get isActive() {
    return 'runActive' in this.section.dataset;
  }

  wait(seconds = this.pause) {
    clearTimeout(this.timer);
    if (this.isOver || document.hidden) return;
    this.timer = setTimeout(() => this.look(), seconds * 1000);
  }

  async look() {
    try {
      this.show(await this.fetch(this.urlValue));
      if (!this.isActive) {
        await this.loadResults();
        this.isOver = true;
      }
      this.pause = SECONDS;
      this.tell('');
    } catch (error) {
      this.isOver = error.status >= 400 && error.status < 500;
      this.pause = Math.min(this.pause * 2, SECONDS_AT_MOST);
      this.tell(this.isOver ? this.refusedTextValue : this.lostTextValue);
    }
    this.wait();
  }

  async fetch(url) {
    const response = await fetch(url, {
      headers: { 'X-Requested-With': 'XMLHttpRequest' },
    });
    if (!response.ok) {
      throw Object.assign(new Error(response.statusText), { status: response.status });
    }
    return response.text();
  }

  show(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    const fresh = template.content.firstElementChild;
    const shown = this.section;
    const focus = shown.contains(document.activeElement) && document.activeElement;
    if (fresh.dataset.runState === shown.dataset.runState) {
      // The buttons stay as they are, and with them the focus.
      const live = fresh.querySelector('[data-run-live]');
      shown.querySelector('[data-run-live]').replaceWith(live);
      if (focus && !focus.isConnected) {
        const address = focus.getAttribute('href');
        [...live.querySelectorAll('a')]
          .find((link) => link.getAttribute('href') === address)
          ?.focus();
      }
    } else {
      shown.replaceWith(fresh);
      if (focus) fresh.focus();
    }
    const { announcement } = fresh.dataset;
    if (this.announcementTarget.textContent !== announcement) {
      this.announcementTarget.textContent = announcement;
    }
  }

  async loadResults() {
    const results = document.getElementById('listing-results');
    results.innerHTML = await this.fetch(
      this.resultsUrlValue + window.location.search,
    );
  }

  tell(text) {
    if (this.troubleTextTarget.textContent !== text) {
      this.troubleTextTarget.textContent = text;
    }
    this.troubleTarget.hidden = !text;
  }
}

window.wagtail.app.register('pim-run-progress', RunProgress);
