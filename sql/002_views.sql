-- What compliance queries. Words for FIX's characters, names for numbers, prices as decimals beside
-- the exact integers (*_px, 1/10000 of the currency).

CREATE FUNCTION hoga.side_word(side "char") RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE side WHEN '1' THEN 'buy' WHEN '2' THEN 'sell' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.ord_type_word(ord_type "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE ord_type WHEN '2' THEN 'limit' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.time_in_force_word(time_in_force "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE time_in_force WHEN '0' THEN 'day' WHEN '1' THEN 'gtc' WHEN '3' THEN 'ioc'
           ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.ord_status_word(ord_status "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE ord_status WHEN '0' THEN 'new' WHEN '1' THEN 'partially_filled'
           WHEN '2' THEN 'filled' WHEN '4' THEN 'canceled' WHEN '8' THEN 'rejected'
           WHEN 'C' THEN 'expired' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.exec_type_word(exec_type "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE exec_type WHEN '0' THEN 'new' WHEN '4' THEN 'canceled' WHEN '5' THEN 'replaced'
           WHEN '8' THEN 'rejected' WHEN 'C' THEN 'expired' WHEN 'F' THEN 'trade'
           ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.command_word(command integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE command WHEN 1 THEN 'configure' WHEN 2 THEN 'open_account' WHEN 3 THEN 'deposit'
           WHEN 4 THEN 'list_instrument' WHEN 5 THEN 'add_user' WHEN 6 THEN 'add_key'
           WHEN 10 THEN 'new_order' WHEN 11 THEN 'cancel_order' WHEN 12 THEN 'replace_order'
           WHEN 20 THEN 'end_day' ELSE 'unknown' END
$$;

CREATE VIEW public.accounts AS
SELECT account, name, opened FROM hoga.account_row;
COMMENT ON VIEW public.accounts IS 'Accounts, as they were opened.';

CREATE VIEW public.users AS
SELECT user_id, name, account, added FROM hoga.user_row;
COMMENT ON VIEW public.users IS 'Users and the account whose orders each may send (0: staff).';

CREATE VIEW public.api_keys AS
SELECT k.key_id, k.user_id, u.name AS user_name,
       concat_ws(',', CASE WHEN k.scopes & 1 <> 0 THEN 'read' END,
                 CASE WHEN k.scopes & 2 <> 0 THEN 'trade' END,
                 CASE WHEN k.scopes & 4 <> 0 THEN 'admin' END,
                 CASE WHEN k.scopes & 8 <> 0 THEN 'report' END) AS scopes,
       k.added
FROM hoga.api_key_row k LEFT JOIN hoga.user_row u USING (user_id);
COMMENT ON VIEW public.api_keys IS
    'API keys (never their secrets), whose they are and what they may do.';

CREATE VIEW public.instruments AS
SELECT instrument, symbol, name, tick_px * 0.0001 AS tick_size, tick_px, lot_qty, max_order_qty,
       max_order_notional * 0.0001 AS max_order_notional, listed
FROM hoga.instrument_row;
COMMENT ON VIEW public.instruments IS 'Listed instruments.';

CREATE VIEW public.reject_reasons AS
SELECT reject_reason AS number, code, detail FROM hoga.reject_reason;
COMMENT ON VIEW public.reject_reasons IS
    'Every reject reason: the number, the code clients see, what it means.';

CREATE VIEW public.deposits AS
SELECT d.out_seq AS deposit_id, d.account, a.name AS account_name,
       CASE WHEN d.instrument = 0 THEN 'cash' ELSE 'shares' END AS kind,
       i.symbol,
       CASE WHEN d.instrument = 0 THEN d.qty * 0.0001 END AS cash,
       CASE WHEN d.instrument = 0 THEN d.balance * 0.0001 END AS cash_balance,
       CASE WHEN d.instrument <> 0 THEN d.qty END AS qty,
       CASE WHEN d.instrument <> 0 THEN d.balance END AS qty_balance,
       d.deposited, d.deposited_ns, d.in_seq
FROM hoga.deposit_row d
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.instrument_row i USING (instrument);
COMMENT ON VIEW public.deposits IS 'Cash and shares paid in, with the balance after each.';

CREATE VIEW public.orders AS
SELECT o.order_id, o.cl_ord_id, o.account, a.name AS account_name, o.user_id,
       u.name AS user_name, i.symbol, hoga.side_word(o.side) AS side,
       hoga.ord_type_word(o.ord_type) AS ord_type,
       hoga.time_in_force_word(o.time_in_force) AS time_in_force,
       hoga.ord_status_word(o.ord_status) AS ord_status,
       CASE WHEN o.reject_reason <> 0 THEN coalesce(r.code, o.reject_reason::text) END
           AS reject_reason,
       o.sent_qty, o.order_qty, o.cum_qty, o.leaves_qty,
       o.limit_px * 0.0001 AS limit_price,
       CASE WHEN o.cum_qty > 0 THEN round(o.cum_notional / o.cum_qty * 0.0001, 4) END AS avg_price,
       o.limit_px,
       CASE WHEN o.cum_qty > 0 THEN round(o.cum_notional / o.cum_qty)::bigint END AS avg_px,
       o.cum_notional * 0.0001 AS cum_notional,
       o.created, o.updated, o.created_ns, o.updated_ns, o.in_seq
FROM hoga.order_row o
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.user_row u ON u.user_id = o.user_id
LEFT JOIN hoga.instrument_row i USING (instrument)
LEFT JOIN hoga.reject_reason r ON r.reject_reason = o.reject_reason;
COMMENT ON VIEW public.orders IS 'Every order as it stands, rejected ones included.';

CREATE VIEW public.executions AS
SELECT e.exec_id, e.order_id, o.cl_ord_id, e.account, a.name AS account_name, o.user_id,
       u.name AS user_name, i.symbol, hoga.side_word(e.side) AS side,
       hoga.exec_type_word(e.exec_type) AS exec_type,
       hoga.ord_status_word(e.ord_status) AS ord_status,
       CASE WHEN e.reject_reason <> 0 THEN coalesce(r.code, e.reject_reason::text) END
           AS reject_reason,
       e.order_qty, e.last_qty, e.cum_qty, e.leaves_qty,
       e.limit_px * 0.0001 AS limit_price,
       CASE WHEN e.last_qty > 0 THEN e.last_px * 0.0001 END AS last_price,
       e.limit_px, e.last_px, e.trade_id,
       CASE e.last_liquidity WHEN 1 THEN 'maker' WHEN 2 THEN 'taker' END AS liquidity,
       e.transact_time, e.transact_time_ns, e.in_seq
FROM hoga.execution_row e
LEFT JOIN hoga.order_row o USING (order_id)
LEFT JOIN hoga.account_row a ON a.account = e.account
LEFT JOIN hoga.user_row u ON u.user_id = o.user_id
LEFT JOIN hoga.instrument_row i ON i.instrument = e.instrument
LEFT JOIN hoga.reject_reason r ON r.reject_reason = e.reject_reason;
COMMENT ON VIEW public.executions IS
    'Every report about an order, in the order of time; fills have last_qty > 0, two a trade.';

CREATE VIEW public.trades AS
SELECT t.trade_id, i.symbol, t.last_qty, t.last_px * 0.0001 AS last_price, t.last_px,
       t.last_px::numeric * t.last_qty * 0.0001 AS notional,
       hoga.side_word(t.taker_side) AS taker_side,
       t.buy_account, b.name AS buy_account_name, t.buy_order_id, t.buy_exec_id,
       t.sell_account, s.name AS sell_account_name, t.sell_order_id, t.sell_exec_id,
       t.trade_time, t.trade_time_ns, t.in_seq
FROM hoga.trade_row t
LEFT JOIN hoga.instrument_row i USING (instrument)
LEFT JOIN hoga.account_row b ON b.account = t.buy_account
LEFT JOIN hoga.account_row s ON s.account = t.sell_account;
COMMENT ON VIEW public.trades IS 'Every matched pair, once, with both sides.';

CREATE VIEW public.refusals AS
SELECT f.out_seq AS refusal_id, hoga.command_word(f.command) AS command, f.account,
       a.name AS account_name, f.order_id, coalesce(r.code, f.reject_reason::text) AS reject_reason,
       f.refused, f.refused_ns, f.in_seq
FROM hoga.refusal_row f
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.reject_reason r USING (reject_reason);
COMMENT ON VIEW public.refusals IS
    'Requests that changed nothing: late cancels, client order ids used twice, refused commands.';
