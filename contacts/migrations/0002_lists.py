

import contacts.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactWord',
            fields=[
                ('pk', models.CompositePrimaryKey('word', 'contact', blank=True, editable=False, primary_key=True, serialize=False)),
                ('word', contacts.models.WordField(max_length=32)),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='words', to='contacts.contact')),
            ],
            options={
                'indexes': [models.Index(fields=['contact', 'word'], name='word_of_contact')],
            },
        ),
    ]
