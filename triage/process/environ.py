"""What of the caller's environment a child gets to see."""

import fnmatch
from collections.abc import Iterable, Mapping

# What people's shells and CI systems set and programs rely on. An allow-list, for the rest changes
# what tests do (PYTEST_ADDOPTS, PYTHONPATH, VIRTUAL_ENV ...) or points at what they must not touch
# (DATABASE_URL). Compare tox: https://tox.wiki/en/latest/config.html#pass_env
_PASSED = (
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "XDG_*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "LD_LIBRARY_PATH",
    "CI",
    "DISPLAY",
    "DOCKER_HOST",
)
INSTALLER_VARIABLES = (
    "PIP_*",
    "UV_*",
    "NETRC",
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "PKG_CONFIG_PATH",
    "SSH_AUTH_SOCK",
    "GIT_SSH*",
    "SETUPTOOLS_SCM_PRETEND_VERSION*",
)


def child_environment(
    base: Mapping[str, str], extra: Mapping[str, str], *, pass_env: Iterable[str] = ()
) -> dict[str, str]:
    """The allowed part of `base`, with `extra` over it; `pass_env` are further names or globs."""
    patterns = (*_PASSED, *pass_env)
    passed = {
        name: value
        for name, value in base.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }
    return {**passed, **extra}
