import axios, { AxiosResponse } from 'axios';

interface ScheduleCallPayload {
  contact_id: string;
  campaign_id?: string;
  scheduled_at: string;
  timezone?: string;
  initial_message: string;
  max_duration_seconds?: number;
  caller_id?: string;
  metadata?: Record<string, unknown>;
  recording_enabled?: boolean;
  webhook_url?: string;
}

interface ScheduledCall {
  call_id: string;
  contact_id: string;
  campaign_id?: string;
  scheduled_at: string;
  timezone?: string;
  initial_message: string;
  max_duration_seconds?: number;
  caller_id?: string;
  metadata?: Record<string, unknown>;
  recording_enabled: boolean;
  webhook_url?: string;
  status: 'scheduled' | 'in_progress' | 'completed' | 'failed' | 'canceled';
  created_at: string;
  updated_at: string;
}

interface ScheduleCallResponse {
  status: 'success' | 'error';
  message: string;
  data: ScheduledCall | null;
}

const payload: ScheduleCallPayload = {
  contact_id: 'ctc_12kd88',
  scheduled_at: '2026-03-15T15:00:00Z',
  initial_message:
    'Hi {{first_name}}, this is your AI assistant with an important reminder.'
};

const res: AxiosResponse<ScheduleCallResponse> = await axios.post(
  'https://api.example-ai.com/v1/calls/scheduled',
  payload,
  {
    headers: {
      Authorization: 'Bearer sk_test_51_fakeapikey123456'
    }
  }
);

console.log(res.data.data?.status);
