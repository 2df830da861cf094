

from django.db import migrations


def forget(apps, schema_editor):
    """Until there were trunks, the stop switch made a pacing row for live mode's carrier, which was none."""
    apps.get_model('calls', 'Pacing').objects.filter(carrier='none').delete()


class Migration(migrations.Migration):

    dependencies = [
        ('calls', '0003_trunks'),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
