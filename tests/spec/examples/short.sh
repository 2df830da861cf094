curl -X POST "https://api.example-ai.com/v1/calls/scheduled" \
  -H "Authorization: Bearer sk_test_51_fakeapikey123456" \
  -H "Content-Type: application/json" \
  -d '{
    "contact_id": "ctc_12kd88",
    "scheduled_at": "2026-03-15T15:00:00Z",
    "initial_message": "Hi {{first_name}}, this is your AI assistant."
  }'
