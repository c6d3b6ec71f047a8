"""What a registry's or runtime's words mean."""

import pytest

from agent_sre.analysis.kubernetes.pulls import Pull, pull_cause


def cause(words: str, image: str = "registry.test/team/app:2", **known: object) -> str:
    fields: dict[str, object] = {"reason": "ImagePullBackOff", "refused": False, "named": False, "before": "", **known}
    return pull_cause(Pull(image=image, words=words, **fields))[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("registry.test/team/app:2: not found", "incorrect_image_reference"),
        ("reading manifest 2 in quay.io/team/app: manifest unknown", "incorrect_image_reference"),
        ("name unknown: The repository with name 'app' does not exist in the registry", "incorrect_image_reference"),
        ("couldn't parse image name: invalid reference format", "incorrect_image_reference"),
        ("dial tcp: lookup registry.test on 10.0.0.2:53: no such host", "image_registry_dns_failure"),
        ("dial tcp: lookup registry.test on [::1]:53: read: connection refused", "image_registry_dns_failure"),
        ("lookup registry.test: Temporary failure in name resolution", "image_registry_dns_failure"),
        ("toomanyrequests: You have reached your pull rate limit", "image_pull_rate_limited"),
        (
            "unexpected status from HEAD request to https://registry.test: 429 Too Many Requests",
            "image_pull_rate_limited",
        ),
        ("failed to fetch anonymous token: unexpected status: 401 Unauthorized", "missing_image_pull_secret"),
        ("authorization failed: no basic auth credentials", "missing_image_pull_secret"),
        ("unauthorized: access to the requested resource is not authorized", "missing_image_pull_secret"),
        ("no match for platform in manifest: not found", "exec_format_error"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "exec_format_error"),
        ('no image found in image index for architecture "arm64"', "exec_format_error"),
        ("tls: failed to verify certificate: x509: certificate has expired", "certificate_expired"),
        ("dial tcp 10.1.2.3:443: i/o timeout", "upstream_provider_outage"),
    ],
)
def test_words_have_one_meaning(words: str, fault: str) -> None:
    assert cause(words) == fault


def test_access_denied_to_an_official_image_means_that_it_does_not_exist() -> None:
    words = "pull access denied, repository does not exist or may require authorization: insufficient_scope"
    assert cause(words, image="docker.io/library/ngnix:1") == "incorrect_image_reference"
    assert cause(words, image="ngnix:1") == "incorrect_image_reference"
    assert cause(words, image="docker.io/acme/shop:1") == "missing_image_pull_secret"


def test_a_pull_secret_that_is_missing_counts_only_where_the_registry_asks_for_it() -> None:
    assert cause("401 Unauthorized", refused=True, named=True) == "missing_image_pull_secret"
    assert cause("registry.test/team/app:2: not found", refused=True, named=True) == "incorrect_image_reference"
    assert cause("429 Too Many Requests", refused=True, named=True) == "image_pull_rate_limited"


def test_a_repository_that_worked_before_is_forbidden_for_want_of_rights() -> None:
    assert cause("403 Forbidden", before="registry.test/team/app:1") == "missing_image_pull_secret"
    assert cause("403 Forbidden", before="registry.test/team/apps:1") == "incorrect_image_reference"


def test_an_unknown_answer_stays_a_guess() -> None:
    assert pull_cause(Pull("a/b:1", "ErrImagePull", "something odd", False, False, ""))[1] < 0.5
