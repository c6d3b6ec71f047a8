"""No planted secret survives in what is stored of an observation, and what is no secret stays readable."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.telemetry import Change, LogLine, LogSource, LogStream, Series, Span
from agent_sre.evidence.redaction import Redaction, Redactor, site_patterns

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def text(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=alphabet, min_size=least, max_size=most)


def jwt(body: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    return f"{head}.{base64.urlsafe_b64encode(body.encode()).decode().rstrip('=')}.{body[::-1]}"


KEY_LINES = st.lists(text(ALNUM, 64, 64), min_size=1, max_size=4)
PASSWORD = text(ALNUM + "!#$%^*_-+.~", 8, 30).filter(lambda value: any(letter.isdigit() for letter in value))
TOKENS = st.one_of(
    text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16, 16).map(lambda rest: f"AKIA{rest}"),
    text(ALNUM, 12, 40).map(jwt),
    st.tuples(st.sampled_from("pousr"), text(ALNUM, 36, 36)).map(lambda pair: f"gh{pair[0]}_{pair[1]}"),
    text(ALNUM, 22, 40).map(lambda rest: f"github_pat_{rest}"),
    text(ALNUM, 20, 20).map(lambda rest: f"glpat-{rest}"),
    st.tuples(st.sampled_from("abp"), text(ALNUM, 24, 24)).map(lambda pair: f"xox{pair[0]}-123-{pair[1]}"),
    text(ALNUM, 24, 48).map(lambda rest: f"sk-{rest}"),
    text(ALNUM, 24, 48).map(lambda rest: f"sk-proj-{rest}"),
    text(ALNUM, 24, 24).map(lambda rest: f"sk_live_{rest}"),
    text(ALNUM, 35, 35).map(lambda rest: f"AIza{rest}"),
)
NAMES = st.sampled_from(
    ["DB_PASSWORD", "password", "dbPassword", "MYSQL_ROOT_PASSWORD_PROD", "client_secret", "API_KEY", "x-api-key",
     "aws_secret_access_key", "ACCESS_TOKEN", "accessToken", "passphrase", "PGPASSWORD", "pwd",
     "spring.datasource.password"]
)  # fmt: skip
FORMS = st.sampled_from(
    ["{n}={s}", '{n}="{s}"', "{n}: {s}", "{n}: '{s}'", '{{"{n}": "{s}"}}', '{{\\"{n}\\":\\"{s}\\"}}', "{n} = {s}",
     "--{n}={s}", "--{n} {s}", "export {n}={s};", "url?{n}={s}&next=1", "({n}={s})", "{n}:\n  {s}", "{n}=\n{s}",
     '"{n}:\\n  {s}"', '"{n}:\\r\\n\\t{s}"']
)  # fmt: skip
CARRIERS = st.sampled_from(
    ["Authorization: Bearer {s}", 'curl -H "authorization: Basic {s}"', "sent header bearer {s} to peer",
     "postgres://app:{s}@db.shop:5432/app", "amqp://guest:{s}@mq", "root:{s}@tcp(db:3306)/shop",
     "https://hooks.slack.com/services/{s}"]
)  # fmt: skip
PROSE = text("abcdefgh {}[]<>/\\'\"\n,.:;()", 0, 30)


def everywhere(line: str) -> Observation:
    """One observation that carries the text in every place there is."""
    stream = LogStream(LogSource("shop", "cart", "app"), tuple(LogLine(NOW, part) for part in line.split("\n")))
    pod = {
        "kind": "Pod",
        "metadata": {"name": "cart", "annotations": {"last": line}},
        "spec": {"containers": [{"args": [line], "env": [{"name": "SETTING", "value": line}]}]},
    }
    config = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"app.yaml": line}}
    event = {"kind": "Event", "metadata": {"name": "e"}, "message": line}
    return Observation(
        id="x/1",
        collector="x",
        source="x",
        query=line,
        observed_at=NOW,
        objects=(pod, config, event),
        streams=(stream,),
        series=(Series.of("up", {"info": line}, [(1.0, 1.0)]),),
        changes=(Change("c1", NOW, "commit", line, line, line, line),),
        spans=(Span("t", "s", "", "cart", line, 0.0, 1.0, False, {"statement": line}),),
        rules=({"name": "r", "annotations": {"summary": line}},),
        left_out=(line,),
        link=line,
    )


def stored(item: Observation) -> str:
    """All text of an observation as it would be stored, with nothing escaped away."""
    parts: list[Any] = [item.query, item.left_out, item.link, item.objects, item.rules]
    parts += [[line.text for line in stream.lines] for stream in item.streams]
    parts += [series.labels for series in item.series]
    parts += [[change.target, change.summary, change.author, change.diff] for change in item.changes]
    parts += [[span.name, span.attributes] for span in item.spans]
    return json.dumps(parts, default=dict, ensure_ascii=False)


@given(TOKENS, PROSE, PROSE)
def test_tokens_of_known_forms_never_survive(secret: str, before: str, after: str) -> None:
    cleaned = stored(Redactor(b"key").observation(everywhere(f"{before} {secret} {after}")))
    assert secret not in cleaned


@given(NAMES, FORMS, PASSWORD, PROSE, PROSE)
def test_values_of_secret_names_never_survive(name: str, form: str, secret: str, before: str, after: str) -> None:
    line = f"{before} " + form.format(n=name, s=secret) + f" {after}"
    assert secret not in stored(Redactor(b"key").observation(everywhere(line)))


@given(CARRIERS, PASSWORD.map(lambda value: "".join(letter for letter in value if letter in ALNUM) + "x7Qz01"), PROSE)
def test_credentials_in_headers_and_addresses_never_survive(form: str, secret: str, before: str) -> None:
    assert secret not in stored(Redactor(b"key").observation(everywhere(f"{before} {form.format(s=secret)} end")))


@given(
    PASSWORD.filter(lambda value: value[0] not in "$<{*"),
    st.sampled_from(["Bearer", "Basic", "Token", "ApiKey"]),
    PROSE,
)
def test_a_header_never_survives_whatever_its_letters(secret: str, scheme: str, before: str) -> None:
    assert secret not in stored(Redactor(b"key").observation(everywhere(f"{before} Authorization: {scheme} {secret}")))


@given(KEY_LINES, st.sampled_from(["RSA ", "EC ", "OPENSSH ", ""]), st.booleans(), PROSE)
def test_private_keys_never_survive_not_even_over_lines_or_cut_off(
    lines: list[str], kind: str, whole: bool, before: str
) -> None:
    end = f"\n-----END {kind}PRIVATE KEY-----\n" if whole else ""
    line = f"{before} -----BEGIN {kind}PRIVATE KEY-----\n" + "\n".join(lines) + end
    cleaned = stored(Redactor(b"key").observation(everywhere(line)))
    assert not any(part in cleaned for part in lines)


@given(NAMES, PASSWORD)
def test_environment_values_labels_and_arguments_named_like_secrets_never_survive(name: str, secret: str) -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"name": "cart"},
        "spec": {"containers": [{"env": [{"name": name, "value": secret}], "args": [f"--{name}", secret]}]},
    }
    config = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {name: secret}}
    hidden = {"kind": "Secret", "metadata": {"name": "s", "annotations": {"x": secret}}, "data": {"a": secret}}
    item = Observation("x/1", "x", "x", "q", NOW, objects=(pod, config, hidden))
    assert secret not in stored(Redactor(b"key").observation(item))


@given(NAMES, PASSWORD, PASSWORD)
def test_equal_secrets_stay_equal_and_different_ones_mostly_differ(name: str, one: str, other: str) -> None:
    redactor = Redactor(b"key")
    assert redactor.text(f"{name}={one}") == redactor.text(f"{name}={one}")
    assert (redactor.placeholder(one) == redactor.placeholder(other)) <= (one == other or len({one, other}) == 2)
    assert Redactor(b"k1").placeholder("hunter2-x") != Redactor(b"k2").placeholder("hunter2-x")


@given(st.text(max_size=200))
def test_lines_keep_their_times_and_number(line: str) -> None:
    lines = tuple(LogLine(NOW, part) for part in (line, "DB_PASSWORD=", "hunter22", line, "last"))
    stream = LogStream(LogSource("shop", "cart", "app"), lines)
    item = Observation("x/1", "x", "x", "q", NOW, streams=(stream,))
    (found,) = Redactor(b"").observation(item).streams
    assert len(found.lines) == 5
    assert [entry.time for entry in found.lines] == [NOW] * 5
    assert found.lines[-1].text == "last" or "PRIVATE KEY" in line


@pytest.mark.parametrize(
    "line",
    [
        "Access denied for user 'root'@'10.0.0.7' (using password: YES)",
        'MountVolume.SetUp failed for volume "tls" : secret "db-credentials" not found',
        "secretName: db-credentials",
        "imagePullSecrets: [{name: registry}]",
        "automountServiceAccountToken: false",
        "failed to authorize: failed to fetch anonymous token: unexpected status: 401",
        "tokenExpirationSeconds: 3600",
        "max_tokens=4096",
        "password_file=/etc/db/password",
        "SSL key: not found",
        "basic authentication failed",
        "bearer token is missing",
        "GET http://cart:8080/items?user=ann",
        "the key difference: latency",
        "password: [redacted:value:1a2b]",
        "the secret is out",
        "mysql: error 1045 (28000)",
        "AKIAISNOTAKEY",
        "sk-short",
        "https://example.com:8443/path",
    ],
)
def test_what_carries_the_diagnosis_stays(line: str) -> None:
    assert Redactor(b"key").text(line) == line


def test_gaps_are_redacted_too() -> None:
    gap = Gap("metrics", "metrics", "http://user:hunter22@prom cannot be reached", "fix")
    assert Redactor(b"k").gap(gap).reason.startswith("http://user:[redacted:url:")


def test_a_large_clean_text_takes_no_time_and_a_hostile_one_ends() -> None:
    redactor = Redactor(b"k")
    clean = "GET /items 200 3ms\n" * 50_000
    assert redactor.text(clean) == clean
    hostile = "password=" * 2000 + "://a:" * 2000 + "eyJ" * 2000 + "-----BEGIN PRIVATE KEY-----" * 100
    assert "[redacted:" in redactor.text(hostile)


LOCALS = st.from_regex(r"[a-z][a-z0-9]{1,10}([._+-][a-z0-9]{1,10}){0,2}", fullmatch=True)
DOMAINS = st.sampled_from(["example.com", "mail.example.co.uk", "firma.de", "x-y.io", "EXAMPLE.ORG"])
AROUND = st.sampled_from(["user {s} logged in", "<{s}>", '"email":"{s}"', "to={s},", "mailto:{s}?x=1", "({s})", "{s}"])
PREFIXES = st.sampled_from(["4", "51", "55", "34", "37", "6011", "65", "3530", "36", "62", "2221", "2720"])
LENGTHS = {"3": 15, "36": 14, "3530": 16}


def card_number(prefix: str, rest: str) -> str:
    """A number with this prefix, of the issuer's length, whose check digit fits."""
    length = LENGTHS.get(prefix, 15 if prefix in {"34", "37"} else 16)
    body = (prefix + rest)[: length - 1]
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


@given(LOCALS.filter(lambda name: name not in {"git", "svn", "hg", "root", "rabbit", "riak", "emqx"}), DOMAINS, AROUND)
def test_whose_address_it_is_never_survives_and_its_domain_stays(local: str, domain: str, around: str) -> None:
    address = f"{local}@{domain}"
    cleaned = Redactor(b"key").text(around.format(s=address))
    assert address not in cleaned
    if around != "mailto:{s}?x=1":
        assert f"@{domain}" in cleaned
    assert address not in stored(Redactor(b"key").observation(everywhere(around.format(s=address))))


@given(PREFIXES, text("0123456789", 20, 20), st.sampled_from(["", " ", "-"]), AROUND)
def test_card_numbers_never_survive(prefix: str, rest: str, between: str, around: str) -> None:
    number = card_number(prefix, rest)
    written = between.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert written not in stored(Redactor(b"key").observation(everywhere(around.format(s=written))))


@pytest.mark.parametrize(
    "line",
    [
        "pulled registry.example/shop/cart@sha256:0123456789abcdef",
        "git@github.com:acme/shop.git",
        "Started user@1000.service and getty@tty1.service",
        "node rabbit@rabbitmq-0.rabbitmq.shop.svc.cluster.local is down",
        "consumer worker-1@queue-7.internal left",
        "lodash@4.17.21 and next@13.js",
        "com.acme.Cart@1f2e3d and Bar@6d06d69c",
        "at 1732517817123456789 ns, 1732517817123 ms, id 4000000000000001",
        "trace 4539578763621486a, version 4.539578763621486",
        "order 9999999999999995 of batch 0000000000000000",
        "10.4.4.4 4444 5555 66",
    ],
)
def test_what_is_nobodys_address_or_card_stays(line: str) -> None:
    assert Redactor(b"key").text(line) == line


def test_the_same_person_looks_the_same_everywhere() -> None:
    redact = Redactor(b"key").text
    first, second = redact("from ana@example.com"), redact("to ana@example.com, bob@example.com")
    assert first.removeprefix("from ") in second
    assert second.count(first.removeprefix("from ")) == 1


@given(
    st.one_of(NAMES.flatmap(lambda name: FORMS.map(lambda form: form.replace("{n}", name))), CARRIERS), PASSWORD, PROSE
)
def test_what_was_redacted_stays_as_it_is_under_another_key(form: str, secret: str, after: str) -> None:
    once = Redactor(b"of one process").text(f"{form.format(s=secret)} {after}")
    assert Redactor(b"of another").text(once) == once


@given(st.integers(0, 999_999), AROUND)
def test_what_a_site_calls_secret_never_survives(number: int, around: str) -> None:
    redaction = Redaction(b"key", site_patterns({"customer": "CUST-[0-9]{6}", "pin": "pin is (?P<value>[0-9]{4})"}))
    line = around.format(s=f"CUST-{number:06d}")
    assert f"CUST-{number:06d}" not in stored(redaction.redactor().observation(everywhere(line)))
    assert "[redacted:customer:" in redaction.redactor().text(line)
    assert redaction.redactor().text("the pin is 1234!").startswith("the pin is [redacted:pin:")


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        ({"a": "["}, "redaction pattern a: '\\[' is no regular expression"),
        ({"a": "x*"}, "would be everywhere"),
        ({"A B": "x"}, "redaction pattern 'A B': the kind must be"),
    ],
)
def test_a_pattern_that_is_wrong_is_named(patterns: dict[str, str], said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        site_patterns(patterns)
