

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('calls', '0001_initial'),
        ('campaigns', '0001_initial'),
        ('contacts', '0003_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='call',
            name='call_contact_newest',
        ),
        migrations.RemoveIndex(
            model_name='call',
            name='call_campaign_newest',
        ),
        migrations.AlterField(
            model_name='attempt',
            name='call',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='calls.call'),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='gateway',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='calls.gateway'),
        ),
        migrations.AlterField(
            model_name='call',
            name='campaign',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='campaigns.campaign'),
        ),
        migrations.AlterField(
            model_name='call',
            name='contact',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='contacts.contact'),
        ),
        migrations.AlterField(
            model_name='call',
            name='created_by_key',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='accounts.apikey'),
        ),
        migrations.AlterField(
            model_name='call',
            name='created_by_user',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='callevent',
            name='attempt',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='calls.attempt'),
        ),
        migrations.AlterField(
            model_name='callevent',
            name='call',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='calls.call'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='attempt',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='calls.attempt'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='call',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='calls.call'),
        ),
        migrations.AlterField(
            model_name='transcriptturn',
            name='attempt',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='turns', to='calls.attempt'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(fields=['-created_at', '-id'], name='attempt_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(django.db.models.functions.text.Upper('mode'), models.OrderBy(models.F('scheduled_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='call_mode_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(django.db.models.functions.text.Upper('mode'), models.F('status'), models.OrderBy(models.F('scheduled_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='call_mode_status_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['contact', '-scheduled_at', '-id'], name='call_contact_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('campaign__isnull', False)), fields=['campaign', '-scheduled_at', '-id'], name='call_campaign_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('campaign__isnull', False)), fields=['campaign', 'status', '-scheduled_at', '-id'], name='call_campaign_status_newest'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('campaign__isnull', False)), fields=['campaign', 'status', 'due_at', 'id'], name='call_campaign_due'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('outcome__isnull', False)), fields=['outcome', '-scheduled_at', '-id', 'mode', 'campaign'], name='call_outcome_newest'),
        ),
    ]
