const payload = {
  contact_id: 'ctc_12kd88',
  scheduled_at: '2026-03-15T15:00:00Z',
  initial_message:
    'Hi {{first_name}}, this is your AI assistant calling to confirm your upcoming appointment.'
};

const response = await fetch('https://api.example-ai.com/v1/calls/scheduled', {
  method: 'POST',
  headers: {
    Authorization: 'Bearer sk_test_51_fakeapikey123456',
    'Content-Type': 'application/json'
  },
  body: JSON.stringify(payload)
});

const result = await response.json();
console.log(result.data.call_id);
