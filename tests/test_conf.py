from dataclasses import fields

import pytest

from wagtail_pim import conf
from wagtail_pim.conf import (
    OPTION_NAMES,
    SETTING_NAMES,
    Config,
    DeployedOption,
    get_config,
    unknown_settings,
)


@pytest.fixture
def configure(settings, monkeypatch):
    """Sets WAGTAIL_PIM in a clean environment."""
    for name in OPTION_NAMES:
        monkeypatch.delenv(f"PIM_{name}", raising=False)

    def configure(**values):
        settings.WAGTAIL_PIM = values
        return get_config()

    configure()
    yield configure
    # The environment is read once: what a test has set must not stay.
    get_config.cache_clear()


def test_site_without_settings_has_the_defaults(configure, settings):
    assert configure() == Config()
    del settings.WAGTAIL_PIM
    assert get_config() == Config()


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("BATCH_SIZE", 10, 10),
        ("ASSET_HOSTS", ["cdn.example"], ("cdn.example",)),
        ("CATALOGS", ["Web"], ("Web",)),
        ("CATALOGS", "Web", ("Web",)),
        ("CATALOGS", [], ()),
        ("DEFAULT_PRODUCT_PAGE", "shop.HelmetPage", "shop.HelmetPage"),
        ("BATCH_SIZE", None, 250),
        ("CATALOGS", None, None),
    ],
)
def test_setting_replaces_its_default(configure, name, given, expected):
    config = configure(**{name: given})
    assert getattr(config, name.lower()) == expected


def test_change_of_the_setting_counts_at_once(configure):
    assert configure(BATCH_SIZE=1).batch_size == 1
    assert configure(BATCH_SIZE=2).batch_size == 2
    assert get_config() is get_config()


def test_config_cannot_be_changed(configure):
    with pytest.raises(AttributeError):
        configure().batch_size = 5


def test_setting_that_means_nothing_is_told(configure):
    configure(BATCH_SIZES=5, batch_size=5, APP_KEY="x", CATALOGS=None)
    assert unknown_settings() == ["BATCH_SIZES", "batch_size"]


def test_every_setting_has_a_name():
    own = {f.name.upper() for f in fields(Config)} - {"DEPLOYED_OPTIONS"}
    assert own | set(OPTION_NAMES) == SETTING_NAMES


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_option_is_deployed_by_the_dict_or_the_environment(
    configure, monkeypatch, name
):
    assert configure().deployed_options == {}
    monkeypatch.setenv(f"PIM_{name}", "of the environment")
    assert configure().deployed_options == {
        name: DeployedOption("of the environment", f"PIM_{name}")
    }
    assert configure(**{name: "of the dict"}).deployed_options == {
        name: DeployedOption("of the dict", f'WAGTAIL_PIM["{name}"]')
    }


def test_empty_list_of_addresses_is_deployed_too(configure, monkeypatch):
    monkeypatch.setenv("PIM_NOTIFICATION_EMAILS", "ada@shop.example")
    options = configure(NOTIFICATION_EMAILS=[]).deployed_options
    assert options["NOTIFICATION_EMAILS"].value == []


def test_empty_environment_variable_deploys_nothing(configure, monkeypatch):
    monkeypatch.setenv("PIM_APP_KEY", "")
    assert configure().deployed_options == {}


def test_secret_is_in_no_repr(configure):
    config = configure(SECRET_KEY="hunter2", APP_KEY="the-app-key")
    assert config.deployed_options["SECRET_KEY"].value == "hunter2"
    assert "hunter2" not in repr(config)
    assert "hunter2" not in repr(config.deployed_options["SECRET_KEY"])


def test_current_secret_goes_before_the_fallbacks(settings):
    settings.SECRET_KEY = "new"
    settings.SECRET_KEY_FALLBACKS = ["old", "older"]
    assert conf.encryption_secrets() == ["new", "old", "older"]


@pytest.mark.parametrize(
    ("setting", "function"),
    [
        ("WAGTAIL_ALLOW_UNICODE_SLUGS", conf.unicode_slugs_allowed),
        ("WAGTAILREDIRECTS_AUTO_CREATE", conf.redirects_wanted),
    ],
)
def test_settings_of_wagtail(settings, setting, function):
    assert function() is True
    setattr(settings, setting, False)
    assert function() is False


@pytest.mark.parametrize(
    ("setting", "function", "default", "given"),
    [
        ("WAGTAIL_SITE_NAME", conf.site_name, "Wagtail", "Spokewell"),
        (
            "WAGTAILADMIN_NOTIFICATION_FROM_EMAIL",
            conf.notification_sender,
            None,
            "pim@shop.example",
        ),
        (
            "CRONTAB_EXECUTABLE",
            conf.crontab_executable,
            "/usr/bin/crontab",
            "/opt/bin/crontab",
        ),
    ],
)
def test_settings_of_the_site(settings, setting, function, default, given):
    if hasattr(settings, setting):
        delattr(settings, setting)
    assert function() == default
    setattr(settings, setting, given)
    assert function() == given


def test_functions_that_crontab_calls(settings):
    del settings.CRONJOBS
    assert conf.cron_functions() == []
    settings.CRONJOBS = [("0 2 * * *", "site.cron.tidy", [1]), ("* * * * *", "a.b")]
    assert conf.cron_functions() == ["site.cron.tidy", "a.b"]


def test_task_backend_of_the_runs(configure, settings):
    configure()
    assert conf.task_backend_settings()["BACKEND"].endswith("ImmediateBackend")
    settings.TASKS = None
    assert conf.task_backend_settings()["BACKEND"].endswith("ImmediateBackend")
    settings.TASKS = {"default": {"BACKEND": "a"}, "pim": {"BACKEND": "b"}}
    configure(TASK_BACKEND="pim")
    assert conf.task_backend_settings() == {"BACKEND": "b"}
    configure(TASK_BACKEND="none")
    assert conf.task_backend_settings() is None


def test_time_that_rq_lets_a_run_take(configure, settings):
    configure(TASK_QUEUE="pim")
    assert conf.rq_timeout() == 180
    settings.RQ_QUEUES = {"default": {"DEFAULT_TIMEOUT": 7}, "pim": {}}
    assert conf.rq_timeout() == 180
    settings.RQ_QUEUES = {"pim": {"DEFAULT_TIMEOUT": -1}}
    assert conf.rq_timeout() == -1
