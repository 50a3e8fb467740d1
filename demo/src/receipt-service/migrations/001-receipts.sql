-- Receipt numbers are gapless per year: the counter's row lock lasts until the receipt that got the number is committed.
create table receipts.counter (
  year integer primary key,
  last integer not null
);

-- The primary key makes it one receipt per payment, whatever is delivered how often.
create table receipts.receipt (
  payment_id uuid primary key,
  number text not null unique,
  -- Text, not jsonb: the receipt keeps the order of its members, so its bytes and hashes stay the same.
  content text not null,
  content_sha256 text not null,
  -- Absent only between the commit that gives the number and the end of rendering.
  pdf bytea,
  pdf_sha256 text,
  created_at timestamptz not null default now(),
  check ((pdf is null) = (pdf_sha256 is null))
);
