"""Which tags there are, for forms to offer."""

from django.db import connection

MOST_OFFERED = 500

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


def tags_in_use() -> list[str]:
    """The tags that somebody has, by name; of very many the first."""
    with connection.cursor() as cursor:
        cursor.execute(IN_USE, [MOST_OFFERED])
        return sorted((tag for (tag,) in cursor.fetchall()), key=str.casefold)
