"""The agent that speaks where no other is chosen; it says what was always said."""

from django.db import migrations


def seed(apps, _schema_editor):
    agents, versions = apps.get_model("campaigns", "Agent"), apps.get_model("campaigns", "AgentVersion")
    if not agents.objects.exists():
        agent = agents.objects.create(name="Standard assistant", is_default=True)
        versions.objects.create(agent=agent, number=agent.version, name=agent.name, created_by="TemPhone")


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0002_agents'),
    ]

    operations = [
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
