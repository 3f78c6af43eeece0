"""One identity for all signatures of one cluster, the same from night to night."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from triage.clustering.covering import Cluster, Covering
from triage.clustering.signature import Parts, fingerprint, joined, parts_of
from triage.clustering.templates import templates

SAMPLE = 8_000  # signatures of one place that templates are looked for in
REMEMBERED = 64  # signatures without a template that are remembered of one place
REMEMBERED_TEMPLATES = 1_000  # likewise
_BUCKET_BYTES = 16


Known = Callable[[Iterable[bytes]], Mapping[bytes, Sequence[Cluster]]]  # oldest first, by bucket


class Bucket:
    """Signatures of one exception class at the same own places; only they can be one cluster."""

    def __init__(self, sample: Iterable[Parts], known: Sequence[Cluster] = ()) -> None:
        """Templates are found in those of the sample that no known template covers."""
        self._templates = Covering(one for one in known if one.is_template)
        exact = {parts_of(one.signature): one for one in known if not one.is_template}
        self._found = {parts: one for parts, one in exact.items() if self._templates.find(parts.said) is None}
        rest = {one for one in sample if self._templates.find(one.said) is None}
        self._find(rest | self._found.keys())

    def cluster(self, parts: Parts) -> Cluster:
        """Of any signature of the bucket, one of the sample or not."""
        found = self._found.get(parts) or self._templates.find(parts.said)
        if found is None:
            text = joined(parts)
            found = Cluster(fingerprint(text), text)
        return found

    def _find(self, sample: Collection[Parts]) -> None:
        has_function = any(":" in each.places for each in sample)
        found = templates({each.said for each in sample}, with_single_words=has_function)
        if not found:
            return
        new: dict[str, Cluster] = {}
        for parts, old in self._found.items():  # oldest first
            if parts.said in found:
                template = joined(parts._replace(said=found[parts.said]))
                new.setdefault(found[parts.said], Cluster(old.fingerprint, template))
        for parts in sample:
            if parts.said in found:
                said = found[parts.said]
                if said not in new:
                    template = joined(parts._replace(said=said))
                    new[said] = Cluster(fingerprint(template), template)
                self._found[parts] = new[said]
        self._templates = Covering([*self._templates, *(new[said] for said in sorted(new))])


def bucket_of(parts: Parts) -> bytes:
    """Names the bucket that a signature belongs in."""
    text = f"{parts.type}\0{parts.places}".encode("utf-8", "backslashreplace")
    return blake2b(text, digest_size=_BUCKET_BYTES).digest()


def clusters(signatures: Iterable[str], known: Known | None = None) -> dict[str, Cluster]:
    """The cluster of each signature, whatever their order and however often one is given."""
    buckets: dict[tuple[str, str], dict[str, Parts]] = {}
    for signature in set(signatures):
        parts = parts_of(signature)
        buckets.setdefault((parts.type, parts.places), {})[signature] = parts
    keys = {place: bucket_of(next(iter(members.values()))) for place, members in buckets.items()}
    old = known(keys.values()) if known and keys else {}
    found: dict[str, Cluster] = {}
    for place, members in buckets.items():
        bucket = Bucket(sampled(members.values()), old.get(keys[place], ()))
        found |= {signature: bucket.cluster(parts) for signature, parts in members.items()}
    return found


def sampled(members: Collection[Parts]) -> Collection[Parts]:
    """As many as templates are looked for in, always the same ones of the same set."""
    if len(members) <= SAMPLE:
        return members
    return sorted(members, key=lambda parts: fingerprint(joined(parts)))[:SAMPLE]


def memorable(found: Iterable[Cluster], known: Collection[Cluster] = ()) -> list[Cluster]:
    """What of one bucket is to be remembered for later nights: the templates, of the rest the first ones."""
    old = {one.signature for one in known}
    new = sorted({one for one in found if one.signature not in old}, key=lambda one: one.fingerprint)
    templates_known = sum(one.is_template for one in known)
    wild = [one for one in new if one.is_template][: max(0, REMEMBERED_TEMPLATES - templates_known)]
    space = max(0, REMEMBERED - (len(known) - templates_known))
    return wild + [one for one in new if not one.is_template][:space]
