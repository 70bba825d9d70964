"""What the Go reference got wrong and this must not: each test is named for what holds, its id is that of the list of bugs."""

from dataclasses import replace
from itertools import permutations

import pytest

from tunnel_webhook.domain.claim import MAX_COMMENT
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.external_dns.adjustment import Adjustment, adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.layout import lay_out
from tunnel_webhook.domain.planning.plan import Action, Plan
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, record, rule

APP = "app.example.com"
RULE = rule(APP, "http://app:8080")


def there(*records: DnsRecord, rules: tuple[IngressRule, ...] = ()) -> Existing:
    return Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(*rules), GREEN: configuration()})


def applied(existing: Existing, changes: Changes, policy: Policy = POLICY) -> TunnelConfiguration:
    """Return the document of the default tunnel once a plan is carried out."""
    found = plan(existing, changes, policy)
    base = existing.configurations[BLUE]
    new = {
        each.hostname: each.rules_in(BLUE, existing.rules_in(BLUE, each.hostname))
        for each in found.rules().get(BLUE, ())
    }
    return lay_out(base, new, found.claimed)


def writes(found: Plan) -> list[DnsRecord]:
    batches = [*found.claims().values(), *found.repoints().values(), *found.releases().values()]
    return [each for batch in batches for each in (*batch.deletes, *batch.patches, *batch.posts)]


@pytest.mark.parametrize(
    "changes", [Changes(), Changes(create=(endpoint(),))], ids=["nothing asked", "something else asked"]
)
def test_1_a_record_to_the_tunnel_that_a_wildcard_or_the_catch_all_serves_is_never_deleted(changes: Changes) -> None:
    existing = there(
        record("a.example.com", target_of(BLUE)),
        record("b.example.org", target_of(BLUE)),
        rules=(rule("*.example.com"),),
    )
    assert {each.name for each in writes(plan(existing, changes, POLICY))} <= {APP}


def test_2_nothing_is_deleted_but_what_external_dns_asks_to_delete() -> None:
    existing = there(claim(APP), claim("b.example.com"), rules=(RULE,))
    changes = Changes(create=(endpoint("c.example.com"),), update_new=(endpoint(target="http://new"),))
    assert plan(existing, changes, POLICY).releases() == {}


@pytest.mark.parametrize("kind", ["MX", "TXT", "CAA"])
def test_3_a_mail_record_at_the_apex_is_never_turned_into_a_cname(kind: str) -> None:
    existing = there(record("example.com", "mail.example.net", kind))
    (made,) = writes(plan(existing, Changes(create=(endpoint("example.com"),)), POLICY))
    assert (made.type, made.id) == ("CNAME", "")


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME", "NS"])
def test_3_a_record_of_somebody_at_the_name_is_never_converted(kind: str) -> None:
    existing = there(record(APP, "192.0.2.1", kind))
    found = plan(existing, Changes(create=(endpoint(),)), POLICY)
    assert writes(found) == []
    assert [each.code for each in found.rejections] == ["record-conflict"]


def test_4_a_rule_of_somebody_else_brings_no_record_of_ours() -> None:
    existing = there(rules=(rule("hand.example.com"), rule("b.example.com")))
    assert plan(existing, Changes(), POLICY) == Plan()


@pytest.mark.parametrize("kind", ["A", "AAAA", "TXT", "CNAME"])
def test_6_a_rule_with_a_record_of_its_name_is_not_ours_to_report(kind: str) -> None:
    existing = there(record("hand.example.com", target_of(BLUE), kind), rules=(rule("hand.example.com"),))
    assert report(existing, POLICY).endpoints == ()


@pytest.mark.parametrize("name", [APP, "cname-app.example.com", "a-app.example.com"])
def test_7_a_record_of_a_txt_registry_never_becomes_a_rule(name: str) -> None:
    heritage = endpoint(name, '"heritage=external-dns,external-dns/owner=default"', record_type="TXT")
    assert adjust([heritage], POLICY).endpoints == ()
    assert applied(there(), Changes(create=(heritage, endpoint()))) == configuration(RULE)


def test_8_ownership_comes_back_from_the_claim_without_a_txt_record() -> None:
    (reported,) = report(there(claim(APP, owner="me"), rules=(RULE,)), POLICY).endpoints
    assert reported.owner == "me"


def test_11_an_address_is_published_and_not_dropped_in_silence() -> None:
    asked = endpoint(target="10.0.0.1", record_type="A", resource="service/prod/app")
    (found,) = adjust([asked], POLICY).endpoints
    assert found.targets == ("http://app.prod.svc.cluster.local:80",)


def test_13_an_endpoint_without_targets_is_rejected_and_harms_nobody_else() -> None:
    found = adjust([endpoint("a.example.com", target=""), endpoint("b.example.com")], POLICY)
    assert [each.endpoint.dns_name for each in found.unpublishable] == ["a.example.com"]
    assert found.endpoints[1] == endpoint("b.example.com")


def test_13_several_targets_in_any_order_are_the_same_endpoint() -> None:
    for targets in (("b", "a"), ("a", "b")):
        assert adjust([replace(endpoint(), targets=targets)], POLICY) == Adjustment((endpoint(target="http://a"),))


@pytest.mark.parametrize("name", ["external-dns.alpha.kubernetes.io/cloudflare-proxied", "aws/weight", "webhook/drift"])
def test_14_a_ttl_or_a_property_of_another_provider_is_no_lasting_difference(name: str) -> None:
    asked = replace(endpoint(), ttl=300, properties=((name, "true"),))
    assert adjust([asked], POLICY) == Adjustment((endpoint(),))


def test_15_deleting_what_is_already_gone_is_no_error_and_stops_nothing() -> None:
    found = plan(there(), Changes(create=(endpoint("b.example.com"),), delete=(endpoint(),)), POLICY)
    assert ([each.hostname for each in found.decisions], found.rejections) == (["b.example.com"], ())


def test_16_a_conflict_of_one_hostname_stops_no_other_and_names_what_is_there() -> None:
    existing = there(rules=(rule(APP, "http://by-hand"),))
    found = plan(existing, Changes(create=(endpoint(), endpoint("b.example.com"))), POLICY)
    assert [each.hostname for each in found.decisions] == ["b.example.com"]
    assert "to http://by-hand" in found.rejections[0].sentence


def test_17_a_change_of_type_ends_with_the_rule_in_place() -> None:
    changes = Changes(create=(endpoint(target="http://new"),), delete=(endpoint(record_type="A"),))
    found = plan(there(claim(APP), rules=(RULE,)), changes, POLICY)
    assert [(each.action, each.upserts) for each in found.decisions] == [(Action.UPDATE, (rule(APP, "http://new"),))]


def test_18_a_wildcard_created_later_shadows_no_exact_host() -> None:
    existing = there(claim(APP), rules=(RULE, rule("hand.example.com")))
    laid = applied(existing, Changes(create=(endpoint("*.example.com", "http://wild"),)))
    assert [each.hostname for each in laid.rules] == ["hand.example.com", APP, "*.example.com", ""]


def test_18_the_order_of_rules_does_not_depend_on_history() -> None:
    names = [APP, "*.example.com", "*.dev.example.com", "b.dev.example.com"]
    documents = set()
    for order in permutations(names):
        document = TunnelConfiguration()
        for count, name in enumerate(order, start=1):
            document = lay_out(document, {Hostname(name): (rule(name),)}, set(order[:count]))
        documents.add(document.text)
    assert len(documents) == 1


@pytest.mark.parametrize(
    "changes",
    [Changes(update_new=(endpoint(target="http://new"),)), Changes(delete=(endpoint(),))],
    ids=["update", "delete"],
)
def test_19_a_change_of_a_hostname_leaves_its_path_rules_alone(changes: Changes) -> None:
    path_rule = rule(APP, "http://api", "^/api(/|$)")
    laid = applied(there(claim(APP), rules=(path_rule, RULE)), changes)
    assert laid.match(APP, "/api/x") == path_rule


def test_19_a_hostname_that_has_only_path_rules_can_get_one_for_every_path() -> None:
    existing = there(claim(APP), rules=(rule(APP, "http://api", "^/api(/|$)"),))
    assert applied(existing, Changes(create=(endpoint(),))).match(APP, "/") == RULE


def test_20_several_paths_of_a_hostname_are_reported_under_keys_of_their_own() -> None:
    existing = there(claim(APP), rules=(rule(APP, "http://a", "^/a"), rule(APP, "http://b", "^/b"), RULE))
    keys = {(each.dns_name, each.set_identifier) for each in report(existing, POLICY).endpoints}
    assert keys == {(APP, ""), (APP, "^/a"), (APP, "^/b")}


def test_21_the_first_use_of_an_empty_tunnel_makes_a_document_that_cloudflared_takes() -> None:
    existing = Existing.of([ZONE], {ZONE: ()}, {BLUE: TunnelConfiguration.parse("null")})
    laid = applied(existing, Changes(create=(endpoint(),)), Policy(POLICY.tunnels[:1]))
    check_configuration(laid)
    assert [each.service for each in laid.rules] == ["http://app:8080", "http_status:404"]


def test_22_a_zone_holds_a_hostname_only_at_a_dot() -> None:
    found = plan(there(), Changes(create=(endpoint("www.notexample.com"),)), POLICY)
    assert writes(found) == []
    assert [each.code for each in found.rejections] == ["no-zone"]


@pytest.mark.parametrize("name", ["App.Example.COM", "app.example.com.", "APP.EXAMPLE.COM."])
def test_23_spellings_of_one_hostname_are_one_hostname(name: str) -> None:
    existing = there(claim(APP), rules=(RULE,))
    assert plan(existing, Changes(update_new=(endpoint(name),)), POLICY).is_empty
    assert adjust([endpoint(name), endpoint()], POLICY).endpoints == (endpoint(),)


def test_23_a_hostname_in_unicode_is_its_a_labels() -> None:
    (made,) = writes(plan(there(), Changes(create=(endpoint("bücher.example.com"),)), POLICY))
    assert made.name == "xn--bcher-kva.example.com"


def test_24_a_cname_that_is_not_proxied_is_told_and_repaired() -> None:
    existing = there(replace(claim(APP), proxied=False), rules=(RULE,))
    assert report(existing, POLICY).drift == ((APP, "not-proxied"),)
    (written,) = writes(plan(existing, Changes(update_new=(endpoint(),)), POLICY))
    assert written == claim(APP)


def test_25_no_key_of_any_rule_is_lost_that_nobody_here_knows() -> None:
    text = (
        '{"originRequest":{"new":1.0},"ingress":[{"hostname":"hand.example.com","service":"http://a","originRequest":{"matchSNItoHost":true,'
        '"newer" : 1E2}},{"hostname":"app.example.com","service":"http://old","newest":[1.50]},{"service":"http_status:404"}]}'
    )
    existing = Existing.of(
        [ZONE], {ZONE: [claim(APP)]}, {BLUE: TunnelConfiguration.parse(text), GREEN: configuration()}
    )
    laid = applied(existing, Changes(update_new=(endpoint(),)))
    assert laid.text == text.replace('"http://old"', '"http://app:8080"')


def test_28_what_is_the_same_is_not_written() -> None:
    existing = there(claim(APP), rules=(RULE,))
    assert plan(existing, Changes(create=(endpoint(),), update_new=(endpoint(),)), POLICY).is_empty
    assert applied(existing, Changes(update_new=(endpoint(),))) == existing.configurations[BLUE]


def test_29_a_comment_fits_the_free_plan_whatever_the_resource_is_called() -> None:
    asked = endpoint(resource="ingress/" + "n" * 63 + "/" + "a" * 253)
    (made,) = writes(plan(there(), Changes(create=(asked,)), POLICY))
    assert len(made.comment) <= MAX_COMMENT


def test_29_a_comment_of_somebody_is_not_overwritten_on_a_record_that_is_not_adopted() -> None:
    existing = there(record(APP, "lb.example.net", comment="do not touch"))
    assert writes(plan(existing, Changes(create=(endpoint(),)), POLICY)) == []


def test_32_which_record_is_taken_does_not_depend_on_the_order_of_zones() -> None:
    child = Zone("dev.example.com", "zone-dev")
    asked = Changes(create=(endpoint("app.dev.example.com"),))
    plans = {
        plan(Existing.of(zones, {}, {BLUE: configuration()}), asked, POLICY) for zones in permutations([ZONE, child])
    }
    assert [[each.zone for each in found.decisions] for found in plans] == [[child]]


def endpoints_of(existing: Existing) -> tuple[Endpoint, ...]:
    return report(existing, POLICY).endpoints


def test_14_what_is_reported_is_never_planned_again() -> None:
    existing = there(claim(APP, resource="ingress/a/b"), rules=(rule(APP, "http://a", "^/a", noTLSVerify=True), RULE))
    assert plan(existing, Changes(update_new=adjust(endpoints_of(existing), POLICY).endpoints), POLICY).is_empty
