-- The purchase's trace (W3C Trace Context): its receipt is delivered in it, however late and by whichever process.
alter table payments.payment add column trace_id text;
