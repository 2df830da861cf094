from itertools import islice

from django.db import migrations

from temphone.lib.words import words_of, words_of_number


def write_words(apps, schema_editor):
    """The words of the contacts that are there already; those made from now on bring theirs."""
    contacts = apps.get_model("contacts", "Contact").objects.order_by("pk")
    word = apps.get_model("contacts", "ContactWord")
    columns = contacts.values_list("pk", "first_name", "last_name", "company", "phone")
    rows = (
        word(word=text, contact_id=pk)
        for pk, *texts, phone in columns.iterator(chunk_size=2_000)
        for text in sorted(words_of(*texts) | words_of_number(phone))
    )
    while batch := list(islice(rows, 1_000)):
        word.objects.bulk_create(batch, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [("contacts", "0002_lists")]

    operations = [migrations.RunPython(write_words, migrations.RunPython.noop)]
