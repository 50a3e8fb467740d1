create table payments.payment (
  id uuid primary key,
  client_id text not null,
  idempotency_key text not null,
  -- SHA-256 of the request: the same key with another request is refused.
  fingerprint text not null,
  status text not null check (status in ('processing', 'paid', 'declined')),
  -- What was ordered, with the prices of that moment.
  quote json not null,
  buyer json not null,
  payment_method text not null,
  currency text not null,
  total integer not null check (total >= 0),
  -- Who works on it and until when; a payment whose worker died is taken over after that.
  lease_id uuid,
  leased_until timestamptz,
  authorization_code text,
  decline_reason text,
  created_at timestamptz not null,
  settled_at timestamptz,
  unique (client_id, idempotency_key),
  check ((status = 'processing') = (settled_at is null)),
  check ((status = 'paid') = (authorization_code is not null)),
  check ((status = 'declined') = (decline_reason is not null))
);
create index payment_processing on payments.payment (leased_until) where status = 'processing';

-- Receipts to deliver, written in the transaction that makes the payment paid.
create table payments.outbox (
  payment_id uuid primary key references payments.payment,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'poisoned')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  lease_id uuid,
  leased_until timestamptz,
  last_error text,
  receipt_number text,
  delivered_at timestamptz,
  check ((status = 'delivered') = (receipt_number is not null))
);
create index outbox_due on payments.outbox (next_attempt_at) where status = 'pending';
