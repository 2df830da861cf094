
import django.db.models.deletion
import temphone.lib.clock
import temphone.lib.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('calls', '0002_lists'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='caller_number',
            field=models.CharField(blank=True, editable=False, help_text="A live call's caller ID in E.164; none: the default number.", max_length=16, null=True),
        ),
        migrations.AddField(
            model_name='gateway',
            name='trunks',
            field=models.JSONField(default=dict, help_text='By id: whether it is ready there, and what is wrong.'),
        ),
        migrations.CreateModel(
            name='Trunk',
            fields=[
                ('id', models.CharField(default=temphone.lib.ids.trunk_id, editable=False, max_length=64, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60, unique=True)),
                ('kind', models.CharField(choices=[('sip', 'SIP'), ('twilio', 'Twilio')], max_length=10)),
                ('enabled', models.BooleanField(default=True)),
                ('lines', models.PositiveIntegerField(default=10, help_text='Calls at once, over all gateways.')),
                ('priority', models.PositiveSmallIntegerField(default=10, help_text='Of several with a free line, that with the lowest carries the call.')),
                ('sealed', models.TextField(blank=True, editable=False, help_text='The password or token, encrypted.')),
                ('host', models.CharField(blank=True, max_length=253)),
                ('port', models.PositiveIntegerField(default=5060)),
                ('transport', models.CharField(choices=[('udp', 'UDP'), ('tcp', 'TCP'), ('tls', 'TLS')], default='udp', max_length=3)),
                ('user', models.CharField(blank=True, help_text='Empty: the provider knows our address.', max_length=100)),
                ('registers', models.BooleanField(default=False)),
                ('account_sid', models.CharField(blank=True, max_length=64)),
                ('api_url', models.CharField(default='https://api.twilio.com', max_length=200)),
                ('created_at', models.DateTimeField(default=temphone.lib.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=temphone.lib.clock.now, editable=False)),
            ],
            options={
                'ordering': ['priority', 'created_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('transport__in', ['udp', 'tcp', 'tls'])), name='trunk_transport_known'), models.CheckConstraint(condition=models.Q(('lines__range', (1, 10000))), name='trunk_lines_in_range'), models.CheckConstraint(condition=models.Q(('port__range', (1, 65535))), name='trunk_port_in_range'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'sip'), models.Q(('host', ''), _negated=True)), models.Q(('kind', 'twilio'), models.Q(('account_sid', ''), _negated=True), models.Q(('sealed', ''), _negated=True)), _connector='OR'), name='trunk_of_its_kind')],
            },
        ),
        migrations.CreateModel(
            name='Number',
            fields=[
                ('id', models.CharField(default=temphone.lib.ids.number_id, editable=False, max_length=64, primary_key=True, serialize=False)),
                ('e164', models.CharField(max_length=16, unique=True)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('is_default', models.BooleanField(default=False, help_text='Shown when a call names no number.')),
                ('created_at', models.DateTimeField(default=temphone.lib.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=temphone.lib.clock.now, editable=False)),
                ('trunk', models.ForeignKey(blank=True, help_text='Calls from it go by this trunk alone; empty: by any.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='numbers', to='calls.trunk')),
            ],
            options={
                'ordering': ['-is_default', 'e164'],
            },
        ),
        migrations.AddField(
            model_name='attempt',
            name='trunk',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='calls.trunk'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('trunk__isnull', False)), fields=['trunk'], name='attempt_trunk'),
        ),
        migrations.AddConstraint(
            model_name='number',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_number'),
        ),
    ]
