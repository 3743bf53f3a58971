-- The views of 002 with what 004 added, and those for it. See 002 for how they are written.

DROP VIEW public.orders, public.executions, public.trades, public.instruments;

CREATE OR REPLACE FUNCTION hoga.ord_type_word(ord_type "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE ord_type WHEN '1' THEN 'market' WHEN '2' THEN 'limit' WHEN '3' THEN 'stop'
           WHEN '4' THEN 'stop_limit' ELSE 'unknown' END
$$;

CREATE OR REPLACE FUNCTION hoga.time_in_force_word(time_in_force "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE time_in_force WHEN '0' THEN 'day' WHEN '1' THEN 'gtc' WHEN '2' THEN 'opg'
           WHEN '3' THEN 'ioc' WHEN '4' THEN 'fok' WHEN '6' THEN 'gtd' WHEN '7' THEN 'cls'
           ELSE 'unknown' END
$$;

CREATE OR REPLACE FUNCTION hoga.exec_type_word(exec_type "char") RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE exec_type WHEN '0' THEN 'new' WHEN '4' THEN 'canceled' WHEN '5' THEN 'replaced'
           WHEN '8' THEN 'rejected' WHEN 'C' THEN 'expired' WHEN 'D' THEN 'restated'
           WHEN 'F' THEN 'trade' WHEN 'L' THEN 'triggered' ELSE 'unknown' END
$$;

CREATE OR REPLACE FUNCTION hoga.command_word(command integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE command WHEN 1 THEN 'configure' WHEN 2 THEN 'open_account' WHEN 3 THEN 'deposit'
           WHEN 4 THEN 'list_instrument' WHEN 5 THEN 'add_user' WHEN 6 THEN 'add_key'
           WHEN 7 THEN 'withdraw' WHEN 8 THEN 'transfer' WHEN 9 THEN 'bust_trade'
           WHEN 10 THEN 'new_order' WHEN 11 THEN 'cancel_order' WHEN 12 THEN 'replace_order'
           WHEN 13 THEN 'mass_cancel' WHEN 14 THEN 'cancel_after' WHEN 20 THEN 'end_day'
           WHEN 21 THEN 'time' WHEN 22 THEN 'set_session' WHEN 23 THEN 'set_schedule'
           WHEN 24 THEN 'set_bands' WHEN 25 THEN 'set_breakers' WHEN 26 THEN 'set_tick_table'
           WHEN 27 THEN 'set_limits' WHEN 28 THEN 'set_fees' WHEN 29 THEN 'set_account'
           WHEN 30 THEN 'kill_switch' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.stp_word(stp smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE stp WHEN 0 THEN 'account' WHEN 1 THEN 'cancel_newest' WHEN 2 THEN 'cancel_oldest'
           WHEN 3 THEN 'cancel_both' WHEN 4 THEN 'decrement' WHEN 5 THEN 'allow'
           ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.session_word(session smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE session WHEN 1 THEN 'closed' WHEN 2 THEN 'pre_open' WHEN 3 THEN 'opening_auction'
           WHEN 4 THEN 'continuous' WHEN 5 THEN 'halt' WHEN 6 THEN 'reopening_auction'
           WHEN 7 THEN 'closing_auction' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.session_cause_word(cause smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE cause WHEN 1 THEN 'command' WHEN 2 THEN 'schedule' WHEN 3 THEN 'band'
           WHEN 4 THEN 'breaker' WHEN 5 THEN 'timer' ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.transfer_reason_word(reason smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE reason WHEN 0 THEN 'plain' WHEN 1 THEN 'corporate_action' WHEN 2 THEN 'correction'
           ELSE 'unknown' END
$$;

CREATE FUNCTION hoga.currency_word(currency smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE currency WHEN 0 THEN 'USD' WHEN 1 THEN 'EUR' WHEN 2 THEN 'GBP' WHEN 3 THEN 'JPY'
           WHEN 4 THEN 'KRW' WHEN 5 THEN 'CHF' WHEN 6 THEN 'HKD' WHEN 7 THEN 'CAD' END
$$;

-- The currency that an asset is cash in; null: it is shares.
CREATE FUNCTION hoga.currency_of(asset bigint) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN asset = 0 THEN 0::smallint
           WHEN asset >= 2147483648 THEN (asset - 2147483648)::smallint END
$$;

-- The asset that an instrument is paid in.
CREATE FUNCTION hoga.cash_of(currency smallint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN currency = 0 THEN 0 ELSE 2147483648 + currency END
$$;

CREATE VIEW public.instruments AS
SELECT instrument, symbol, name, tick_px * 0.0001 AS tick_size, tick_px, lot_qty, max_order_qty,
       max_order_notional * 0.0001 AS max_order_notional, listed,
       hoga.currency_word(currency) AS currency, tick_table, schedule,
       CASE WHEN session <> 0 THEN hoga.session_word(session) END AS listed_in_session,
       max_fee_ppm, index_weight, shortable
FROM hoga.instrument_row;
COMMENT ON VIEW public.instruments IS
    'Instruments, as they were listed; settings has what changed.';

CREATE VIEW public.deposits AS
SELECT d.out_seq AS deposit_id, d.to_account AS account, a.name AS account_name,
       CASE WHEN c.currency IS NOT NULL THEN 'cash' ELSE 'shares' END AS kind,
       i.symbol,
       CASE WHEN c.currency IS NOT NULL THEN d.qty * 0.0001 END AS cash,
       CASE WHEN c.currency IS NOT NULL THEN d.to_balance * 0.0001 END AS cash_balance,
       CASE WHEN c.currency IS NULL THEN d.qty END AS qty,
       CASE WHEN c.currency IS NULL THEN d.to_balance END AS qty_balance,
       d.booked AS deposited, d.booked_ns AS deposited_ns, d.in_seq,
       hoga.currency_word(c.currency) AS currency
FROM hoga.ledger_row d
CROSS JOIN LATERAL (SELECT hoga.currency_of(d.asset)) c (currency)
LEFT JOIN hoga.account_row a ON a.account = d.to_account
LEFT JOIN hoga.instrument_row i ON i.instrument = d.asset
WHERE d.kind = 'D';
COMMENT ON VIEW public.deposits IS 'Cash and shares paid in, with the balance after each.';

CREATE VIEW public.withdrawals AS
SELECT d.out_seq AS withdrawal_id, d.from_account AS account, a.name AS account_name,
       CASE WHEN c.currency IS NOT NULL THEN 'cash' ELSE 'shares' END AS kind,
       i.symbol,
       CASE WHEN c.currency IS NOT NULL THEN d.qty * 0.0001 END AS cash,
       CASE WHEN c.currency IS NOT NULL THEN d.from_balance * 0.0001 END AS cash_balance,
       CASE WHEN c.currency IS NULL THEN d.qty END AS qty,
       CASE WHEN c.currency IS NULL THEN d.from_balance END AS qty_balance,
       d.booked AS withdrawn, d.booked_ns AS withdrawn_ns, d.in_seq,
       hoga.currency_word(c.currency) AS currency
FROM hoga.ledger_row d
CROSS JOIN LATERAL (SELECT hoga.currency_of(d.asset)) c (currency)
LEFT JOIN hoga.account_row a ON a.account = d.from_account
LEFT JOIN hoga.instrument_row i ON i.instrument = d.asset
WHERE d.kind = 'W';
COMMENT ON VIEW public.withdrawals IS 'Cash and shares paid out, with the balance after each.';

CREATE VIEW public.transfers AS
SELECT d.out_seq AS transfer_id, d.from_account, f.name AS from_account_name, d.to_account,
       t.name AS to_account_name, hoga.transfer_reason_word(d.reason) AS reason,
       CASE WHEN c.currency IS NOT NULL THEN 'cash' ELSE 'shares' END AS kind,
       i.symbol,
       CASE WHEN c.currency IS NOT NULL THEN d.qty * 0.0001 END AS cash,
       CASE WHEN c.currency IS NULL THEN d.qty END AS qty,
       d.booked AS transferred, d.booked_ns AS transferred_ns, d.in_seq,
       hoga.currency_word(c.currency) AS currency
FROM hoga.ledger_row d
CROSS JOIN LATERAL (SELECT hoga.currency_of(d.asset)) c (currency)
LEFT JOIN hoga.account_row f ON f.account = d.from_account
LEFT JOIN hoga.account_row t ON t.account = d.to_account
LEFT JOIN hoga.instrument_row i ON i.instrument = d.asset
WHERE d.kind = 'T';
COMMENT ON VIEW public.transfers IS
    'What moved between accounts by an administrator; account 0 is the house.';

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
       o.created, o.updated, o.created_ns, o.updated_ns, o.in_seq,
       nullif(coalesce(o.first_cl_ord_id, o.cl_ord_id), '') AS sent_cl_ord_id,
       CASE WHEN o.stop_px <> 0 THEN o.stop_px * 0.0001 END AS stop_price, o.stop_px,
       nullif(o.display_qty, 0) AS display_qty, nullif(o.min_qty, 0) AS min_qty,
       CASE WHEN o.expire_ns <> 0 THEN to_timestamp(o.expire_ns / 1000 * 0.000001) END AS expires,
       o.expire_ns, o.exec_inst & 1 <> 0 AS post_only,
       o.exec_inst & 2 <> 0 AS cancel_on_disconnect, hoga.stp_word(o.stp) AS stp,
       o.cum_fee * 0.0001 AS fees, hoga.currency_word(i.currency) AS currency,
       CASE WHEN o.reject_reason <> 0 THEN r.detail END AS reason_text
FROM hoga.order_row o
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.user_row u ON u.user_id = o.user_id
LEFT JOIN hoga.instrument_row i USING (instrument)
LEFT JOIN hoga.reject_reason r ON r.reject_reason = o.reject_reason;
COMMENT ON VIEW public.orders IS
    'Every order as it stands, rejected ones too; reject_reason also says why it was canceled.';

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
       CASE e.last_liquidity WHEN 1 THEN 'maker' WHEN 2 THEN 'taker' WHEN 4 THEN 'auction' END
           AS liquidity,
       e.transact_time, e.transact_time_ns, e.in_seq,
       CASE WHEN e.last_qty > 0 THEN e.fee * 0.0001 END AS fee, e.fee_remainder,
       hoga.currency_word(i.currency) AS currency,
       b.trade_id IS NOT NULL AS busted, e.cl_ord_id AS new_cl_ord_id,
       CASE WHEN e.reject_reason <> 0 THEN r.detail END AS reason_text
FROM hoga.execution_row e
LEFT JOIN hoga.order_row o USING (order_id)
LEFT JOIN hoga.account_row a ON a.account = e.account
LEFT JOIN hoga.user_row u ON u.user_id = o.user_id
LEFT JOIN hoga.instrument_row i ON i.instrument = e.instrument
LEFT JOIN hoga.reject_reason r ON r.reject_reason = e.reject_reason
LEFT JOIN hoga.bust_row b ON b.trade_id = e.trade_id;
COMMENT ON VIEW public.executions IS
    'Every report about an order, in the order of time; fills have last_qty > 0, two a trade.';

CREATE VIEW public.order_executions AS
SELECT o.order_id, o.cl_ord_id, o.account, o.account_name, o.user_id, o.user_name, o.symbol,
       o.side, o.ord_type, o.time_in_force, o.sent_qty, o.created,
       o.ord_status AS now_status, o.cum_qty AS now_cum_qty, o.leaves_qty AS now_leaves_qty,
       e.exec_id, e.exec_type, e.ord_status, e.reject_reason, e.order_qty, e.limit_price,
       e.last_qty, e.last_price, e.cum_qty, e.leaves_qty, e.trade_id, e.liquidity, e.fee, e.busted,
       e.transact_time, e.transact_time_ns, e.in_seq
FROM public.orders o JOIN public.executions e USING (order_id);
COMMENT ON VIEW public.order_executions IS
    'The audit trail: each order beside each of its executions; read it by order_id, exec_id.';

CREATE VIEW public.trades AS
SELECT t.trade_id, i.symbol, t.last_qty, t.last_px * 0.0001 AS last_price, t.last_px,
       t.last_px::numeric * t.last_qty * 0.0001 AS notional,
       CASE WHEN t.taker_side IS NOT NULL THEN hoga.side_word(t.taker_side) END AS taker_side,
       t.buy_account, b.name AS buy_account_name, t.buy_order_id, t.buy_exec_id,
       t.sell_account, s.name AS sell_account_name, t.sell_order_id, t.sell_exec_id,
       t.trade_time, t.trade_time_ns, t.in_seq,
       t.taker_side IS NULL AS auction, hoga.currency_word(i.currency) AS currency,
       t.buy_fee * 0.0001 AS buy_fee,
       t.sell_fee * 0.0001 AS sell_fee, x.trade_id IS NOT NULL AS busted, x.busted AS busted_at,
       t.buy_account = t.sell_account AS self_trade
FROM hoga.trade_row t
LEFT JOIN hoga.instrument_row i USING (instrument)
LEFT JOIN hoga.account_row b ON b.account = t.buy_account
LEFT JOIN hoga.account_row s ON s.account = t.sell_account
LEFT JOIN hoga.bust_row x ON x.trade_id = t.trade_id;
COMMENT ON VIEW public.trades IS 'Every matched pair, once, with both sides; busted ones included.';

CREATE VIEW public.daily_volumes AS
SELECT (e.transact_time AT TIME ZONE 'UTC')::date AS day, o.user_id, u.name AS user_name,
       e.account, i.symbol, sum(e.last_qty) AS traded_qty,
       sum(e.last_qty) FILTER (WHERE e.side = '1') AS bought_qty,
       sum(e.last_qty) FILTER (WHERE e.side = '2') AS sold_qty,
       sum(e.last_px::numeric * e.last_qty) * 0.0001 AS notional,
       sum(e.fee) * 0.0001 AS fees, count(*) AS fills
FROM hoga.execution_row e
JOIN hoga.order_row o USING (order_id)
LEFT JOIN hoga.user_row u ON u.user_id = o.user_id
LEFT JOIN hoga.instrument_row i ON i.instrument = e.instrument
WHERE e.exec_type = 'F'
GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW public.daily_volumes IS
    'What each user traded of each symbol a UTC day, later busts included, as the limit counts it.';

-- Every movement of cash or shares of every account, two postings an entry: what one account gives
-- (qty below 0) another gets. Account 0 is the house, null the world outside.
CREATE VIEW hoga.posting AS
SELECT l.out_seq, l.in_seq,
       CASE l.kind WHEN 'D' THEN 'deposit' WHEN 'W' THEN 'withdrawal' ELSE 'transfer' END AS kind,
       p.account, p.counter_account, l.asset, p.qty::numeric AS qty, p.balance,
       NULL::bigint AS trade_id, l.booked, l.booked_ns
FROM hoga.ledger_row l
CROSS JOIN LATERAL (VALUES (l.from_account, l.to_account, -l.qty, l.from_balance),
                           (l.to_account, l.from_account, l.qty, l.to_balance))
    p (account, counter_account, qty, balance)
UNION ALL
SELECT greatest(t.buy_exec_id, t.sell_exec_id), t.in_seq, p.kind, p.account, p.counter_account,
       p.asset, p.qty, NULL, t.trade_id, t.trade_time, t.trade_time_ns
FROM hoga.trade_row t
JOIN hoga.instrument_row i USING (instrument)
CROSS JOIN LATERAL (SELECT hoga.cash_of(i.currency), t.last_px::numeric * t.last_qty)
    c (asset, notional)
CROSS JOIN LATERAL (VALUES
    ('trade', t.buy_account, t.sell_account, c.asset, -c.notional),
    ('trade', t.sell_account, t.buy_account, c.asset, c.notional),
    ('trade', t.sell_account, t.buy_account, t.instrument, -t.last_qty),
    ('trade', t.buy_account, t.sell_account, t.instrument, t.last_qty),
    ('fee', t.buy_account, 0, c.asset, -t.buy_fee), ('fee', 0, t.buy_account, c.asset, t.buy_fee),
    ('fee', t.sell_account, 0, c.asset, -t.sell_fee),
    ('fee', 0, t.sell_account, c.asset, t.sell_fee))
    p (kind, account, counter_account, asset, qty)
WHERE p.qty <> 0
UNION ALL
SELECT x.out_seq, x.in_seq, 'bust', p.account, p.counter_account, p.asset, p.qty, NULL, t.trade_id,
       x.busted, x.busted_ns
FROM hoga.bust_row x
JOIN hoga.trade_row t USING (trade_id)
JOIN hoga.instrument_row i USING (instrument)
CROSS JOIN LATERAL (SELECT hoga.cash_of(i.currency), t.last_px::numeric * t.last_qty)
    c (asset, notional)
CROSS JOIN LATERAL (VALUES
    (t.buy_account, t.sell_account, c.asset, c.notional),
    (t.sell_account, t.buy_account, c.asset, -c.notional),
    (t.sell_account, t.buy_account, t.instrument, t.last_qty),
    (t.buy_account, t.sell_account, t.instrument, -t.last_qty),
    (t.buy_account, 0, c.asset, t.buy_fee), (0, t.buy_account, c.asset, -t.buy_fee),
    (t.sell_account, 0, c.asset, t.sell_fee), (0, t.sell_account, c.asset, -t.sell_fee))
    p (account, counter_account, asset, qty)
WHERE p.qty <> 0;

CREATE VIEW public.ledger AS
SELECT p.out_seq AS entry_id, p.kind, p.account,
       CASE WHEN p.account = 0 THEN 'the house' WHEN p.account IS NULL THEN 'outside'
            ELSE a.name END AS account_name,
       p.counter_account, i.symbol, hoga.currency_word(c.currency) AS currency,
       CASE WHEN c.currency IS NOT NULL THEN p.qty * 0.0001 END AS cash,
       CASE WHEN c.currency IS NULL THEN p.qty END AS qty,
       p.trade_id, p.booked, p.booked_ns, p.in_seq
FROM hoga.posting p
CROSS JOIN LATERAL (SELECT hoga.currency_of(p.asset)) c (currency)
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.instrument_row i ON i.instrument = p.asset;
COMMENT ON VIEW public.ledger IS
    'Double entry: every movement of cash (by currency) or shares (by symbol), once for each side.';

CREATE VIEW public.balances AS
SELECT p.account, CASE WHEN p.account = 0 THEN 'the house' ELSE a.name END AS account_name,
       i.symbol, hoga.currency_word(c.currency) AS currency,
       CASE WHEN c.currency IS NOT NULL THEN p.qty * 0.0001 END AS cash,
       CASE WHEN c.currency IS NULL THEN p.qty END AS qty,
       c.currency IS NULL AND p.qty < 0 AS short
FROM (SELECT account, asset, sum(qty) AS qty FROM hoga.posting
      WHERE account IS NOT NULL GROUP BY account, asset) p
CROSS JOIN LATERAL (SELECT hoga.currency_of(p.asset)) c (currency)
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.instrument_row i ON i.instrument = p.asset;
COMMENT ON VIEW public.balances IS
    'What each account has of each asset by its ledger, held included; below 0 it is short.';

CREATE VIEW public.asset_totals AS
SELECT i.symbol, hoga.currency_word(c.currency) AS currency, p.deposited * c.unit AS deposited,
       p.withdrawn * c.unit AS withdrawn,
       p.held * c.unit AS all_accounts, (p.held - p.deposited + p.withdrawn) * c.unit AS difference
FROM (SELECT asset, coalesce(sum(qty) FILTER (WHERE account IS NOT NULL), 0) AS held,
             coalesce(-sum(qty) FILTER (WHERE account IS NULL AND kind = 'deposit'), 0)
                 AS deposited,
             coalesce(sum(qty) FILTER (WHERE account IS NULL AND kind = 'withdrawal'), 0)
                 AS withdrawn
      FROM hoga.posting GROUP BY asset) p
CROSS JOIN LATERAL (SELECT hoga.currency_of(p.asset),
                           CASE WHEN hoga.currency_of(p.asset) IS NULL THEN 1 ELSE 0.0001 END)
    c (currency, unit)
LEFT JOIN hoga.instrument_row i ON i.instrument = p.asset;
COMMENT ON VIEW public.asset_totals IS
    'Each asset over all accounts, the house included: deposits less withdrawals; difference is 0.';

CREATE VIEW public.sessions AS
SELECT s.out_seq AS session_id, i.symbol, hoga.session_word(s.session) AS session,
       hoga.session_word(s.before) AS before, hoga.session_cause_word(s.cause) AS cause,
       s.changed, s.changed_ns, s.in_seq
FROM hoga.session_row s LEFT JOIN hoga.instrument_row i USING (instrument);
COMMENT ON VIEW public.sessions IS 'Every change of an instrument''s session, and why.';

CREATE VIEW public.auctions AS
SELECT u.out_seq AS auction_id, i.symbol, u.final, CASE WHEN u.px <> 0 THEN u.px * 0.0001 END
           AS price,
       u.px, u.paired_qty, u.imbalance_qty,
       CASE WHEN u.imbalance_side IS NOT NULL THEN hoga.side_word(u.imbalance_side) END
           AS imbalance_side,
       u.published, u.published_ns, u.in_seq
FROM hoga.auction_row u LEFT JOIN hoga.instrument_row i USING (instrument);
COMMENT ON VIEW public.auctions IS
    'What auctions gave (final), and what was published each second before.';

CREATE VIEW public.limit_states AS
SELECT l.out_seq AS limit_state_id, i.symbol, l.begins,
       CASE WHEN l.side IS NOT NULL THEN hoga.side_word(l.side) END AS side,
       CASE WHEN l.px <> 0 THEN l.px * 0.0001 END AS band_price, l.changed, l.changed_ns, l.in_seq
FROM hoga.limit_state_row l LEFT JOIN hoga.instrument_row i USING (instrument);
COMMENT ON VIEW public.limit_states IS
    'Limit states: an order ran into a price band, or it is over.';

CREATE VIEW public.breaker_trips AS
SELECT out_seq AS trip_id, level, decline_ppm, decline_ppm * 0.0001 AS decline_percent, tripped,
       tripped_ns, in_seq
FROM hoga.breaker_row;
COMMENT ON VIEW public.breaker_trips IS 'When the market fell too far and all trading halted.';

CREATE VIEW public.settings AS
SELECT s.out_seq AS setting_id, hoga.command_word(s.command) AS command,
       CASE s.scope WHEN 1 THEN 'account' WHEN 2 THEN 'user' WHEN 3 THEN 'instrument' END AS scope,
       s.id, i.symbol, s.setting, s.changed, s.changed_ns, s.in_seq
FROM hoga.setting_row s
LEFT JOIN hoga.instrument_row i
    ON i.instrument = s.id AND (s.command IN (22, 24, 28) OR s.command = 27 AND s.scope = 3);
COMMENT ON VIEW public.settings IS
    'Every setting that was changed, with its values as the command had them; the newest holds.';

CREATE VIEW public.kill_switches AS
SELECT k.out_seq AS kill_switch_id, k.account,
       CASE WHEN k.account = 0 THEN 'the market' ELSE a.name END AS account_name, k.engaged,
       k.canceled_count, k.switched, k.switched_ns, k.in_seq
FROM hoga.kill_switch_row k LEFT JOIN hoga.account_row a USING (account);
COMMENT ON VIEW public.kill_switches IS
    'Kill switches, on and off; account 0 is the whole market.';

CREATE VIEW public.mass_cancels AS
SELECT m.out_seq AS mass_cancel_id, nullif(m.account, 0) AS account, a.name AS account_name,
       nullif(m.user_id, 0) AS user_id, i.symbol,
       CASE WHEN m.side IS NOT NULL THEN hoga.side_word(m.side) END AS side, m.on_disconnect,
       m.canceled_count, m.canceled, m.canceled_ns, m.in_seq
FROM hoga.mass_cancel_row m
LEFT JOIN hoga.account_row a USING (account)
LEFT JOIN hoga.instrument_row i USING (instrument);
COMMENT ON VIEW public.mass_cancels IS
    'Orders canceled together: who asked, what fitted, how many.';

GRANT SELECT ON public.instruments, public.deposits, public.withdrawals, public.transfers,
    public.orders, public.executions, public.order_executions, public.trades, public.daily_volumes,
    public.ledger, public.balances, public.asset_totals, public.sessions, public.auctions,
    public.limit_states, public.breaker_trips, public.settings, public.kill_switches,
    public.mass_cancels
    TO compliance;
