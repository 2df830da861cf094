"""The tags of people, a row each, so that an index finds who has one, and which there are."""

from collections.abc import Iterable
from itertools import islice
from typing import ClassVar

from django.db import connection, models

from contacts.models.people import Contact

MOST_OFFERED = 500  # tags that a form offers
LONGEST_TAG = 100

# Each step is one look into the index, however many people have the tag.
IN_USE = """
    WITH RECURSIVE in_use (tag) AS (
        SELECT MIN(tag) FROM contacts_contacttag
        UNION ALL
        SELECT (SELECT MIN(tag) FROM contacts_contacttag WHERE tag > in_use.tag)
        FROM in_use WHERE tag IS NOT NULL
    )
    SELECT tag FROM in_use WHERE tag IS NOT NULL LIMIT %s
"""


class ContactTag(models.Model):
    """One tag of a contact; written wherever a contact is saved, as their words are."""

    pk = models.CompositePrimaryKey("tag", "contact")
    tag = models.CharField(max_length=LONGEST_TAG)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="tagged", db_index=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["contact", "tag"], name="tag_of_contact")]

    def __str__(self) -> str:
        return self.tag

    @classmethod
    def write(cls, contacts: Iterable[Contact]) -> None:
        """Write the tags of contacts that have none yet."""
        rows = (ContactTag(tag=tag, contact=one) for one in contacts for tag in sorted(one.tagged_with()))
        while batch := list(islice(rows, 1_000)):
            ContactTag.objects.bulk_create(batch, ignore_conflicts=True)


def tags_in_use() -> list[str]:
    """The tags that somebody has, by name; of very many the first."""
    with connection.cursor() as cursor:
        cursor.execute(IN_USE, [MOST_OFFERED])
        return sorted((tag for (tag,) in cursor.fetchall()), key=str.casefold)
