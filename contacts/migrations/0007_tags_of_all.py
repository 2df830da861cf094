from itertools import islice

from django.db import migrations


def write_tags(apps, schema_editor):
    """The tags of the contacts that are there already; those made from now on bring theirs."""
    contacts = apps.get_model("contacts", "Contact").objects.exclude(tags=[]).order_by("pk")
    tag = apps.get_model("contacts", "ContactTag")
    rows = (
        tag(tag=text, contact_id=pk)
        for pk, tags in contacts.values_list("pk", "tags").iterator(chunk_size=2_000)
        for text in sorted({str(one)[:100] for one in tags})
    )
    while batch := list(islice(rows, 1_000)):
        tag.objects.bulk_create(batch, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [("contacts", "0006_tags")]

    operations = [migrations.RunPython(write_tags, migrations.RunPython.noop)]
