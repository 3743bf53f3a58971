-- The complete engine: order types, sessions, auctions, fees, money that moves between accounts,
-- trades that are taken back. Units as in 001. An asset is an instrument's number (its shares), 0
-- (cash in the first currency) or 2147483648 + a currency's number.

ALTER TABLE hoga.instrument_row
    ADD currency smallint NOT NULL DEFAULT 0,
    ADD tick_table smallint NOT NULL DEFAULT 0,  -- 0: tick_px for all prices
    ADD schedule smallint NOT NULL DEFAULT 0,    -- 0: open around the clock
    ADD session smallint NOT NULL DEFAULT 0,     -- it was listed in; 0: as its schedule says
    ADD max_fee_ppm bigint NOT NULL DEFAULT 0,   -- no fee may ever exceed it
    ADD index_weight bigint NOT NULL DEFAULT 0,
    ADD shortable boolean NOT NULL DEFAULT false;

ALTER TABLE hoga.order_row
    ADD first_cl_ord_id text,                    -- as sent, when a replace renamed it; '': none
    ADD exec_inst smallint NOT NULL DEFAULT 0,   -- bits: 1 post only, 2 cancel on disconnect
    ADD stp smallint NOT NULL DEFAULT 0,         -- self-trade prevention; 0: the account's
    ADD stop_px bigint NOT NULL DEFAULT 0,       -- as it stands after replaces
    ADD display_qty bigint NOT NULL DEFAULT 0,   -- 0: all of it shows
    ADD min_qty bigint NOT NULL DEFAULT 0,
    ADD expire_ns bigint NOT NULL DEFAULT 0,     -- 0: not good till a date
    ADD cum_fee bigint NOT NULL DEFAULT 0;       -- of all its fills

ALTER TABLE hoga.execution_row
    ADD fee bigint NOT NULL DEFAULT 0,           -- paid by this side; below zero: a rebate
    ADD fee_remainder integer NOT NULL DEFAULT 0, -- millionths of 1/10000 that rounding left out
    ADD cl_ord_id text;                          -- the order's name from this replace on

ALTER TABLE hoga.trade_row
    ALTER taker_side DROP NOT NULL,              -- null: an auction's trade
    ADD buy_fee bigint NOT NULL DEFAULT 0,
    ADD sell_fee bigint NOT NULL DEFAULT 0;

-- Trades that were taken back.
CREATE TABLE hoga.bust_row (
    trade_id bigint PRIMARY KEY,
    out_seq bigint NOT NULL,
    in_seq bigint NOT NULL,
    busted timestamptz NOT NULL,
    busted_ns bigint NOT NULL
);

-- Everything that moves but by trading: each row takes from one account what it gives to another,
-- so no row can make or lose anything. Account 0 is the house, null the world outside.
CREATE TABLE hoga.ledger_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    kind "char" NOT NULL,         -- D deposit, W withdrawal, T transfer
    reason smallint NOT NULL,     -- of a transfer: 0 plain, 1 corporate action, 2 correction
    from_account bigint,
    to_account bigint,
    asset bigint NOT NULL,
    qty bigint NOT NULL CHECK (qty > 0), -- cash or shares
    from_balance bigint,          -- the account's, after it
    to_balance bigint,
    booked timestamptz NOT NULL,
    booked_ns bigint NOT NULL,
    CHECK (from_account IS DISTINCT FROM to_account)
);

DROP VIEW public.deposits;
INSERT INTO hoga.ledger_row (out_seq, in_seq, kind, reason, to_account, asset, qty, to_balance,
                             booked, booked_ns)
SELECT out_seq, in_seq, 'D', 0, account, instrument, qty, balance, deposited, deposited_ns
FROM hoga.deposit_row;
DROP TABLE hoga.deposit_row;
CREATE INDEX ledger_row_from_account ON hoga.ledger_row (from_account, out_seq);
CREATE INDEX ledger_row_to_account ON hoga.ledger_row (to_account, out_seq);

CREATE TABLE hoga.session_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    instrument bigint NOT NULL,
    session smallint NOT NULL,    -- from now on
    before smallint NOT NULL,
    cause smallint NOT NULL,
    changed timestamptz NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX session_row_instrument ON hoga.session_row (instrument, out_seq);

CREATE TABLE hoga.auction_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    instrument bigint NOT NULL,
    final boolean NOT NULL,       -- false: what it would have given at that moment
    px bigint NOT NULL,           -- 0: nothing would trade
    paired_qty bigint NOT NULL,
    imbalance_qty bigint NOT NULL,
    imbalance_side "char",        -- null: neither
    published timestamptz NOT NULL,
    published_ns bigint NOT NULL
);
CREATE INDEX auction_row_instrument ON hoga.auction_row (instrument, out_seq);

CREATE TABLE hoga.limit_state_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    instrument bigint NOT NULL,
    begins boolean NOT NULL,      -- false: it ends
    side "char",                  -- of the order that was stopped; null when it ends
    px bigint NOT NULL,           -- the band it ran into; 0 when it ends
    changed timestamptz NOT NULL,
    changed_ns bigint NOT NULL
);

CREATE TABLE hoga.breaker_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    level smallint NOT NULL,
    decline_ppm bigint NOT NULL,  -- by how much the index had fallen
    tripped timestamptz NOT NULL,
    tripped_ns bigint NOT NULL
);

CREATE TABLE hoga.setting_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    command integer NOT NULL,     -- its template
    scope smallint NOT NULL,      -- of limits: 1 account, 2 user, 3 instrument; else 0
    id bigint NOT NULL,           -- of the account, user, instrument, schedule, table; 0: all
    setting jsonb NOT NULL,       -- what it is from now on, as the command had it
    changed timestamptz NOT NULL,
    changed_ns bigint NOT NULL
);
CREATE INDEX setting_row_id ON hoga.setting_row (command, id, out_seq);

CREATE TABLE hoga.kill_switch_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    account bigint NOT NULL,      -- 0: the whole market
    engaged boolean NOT NULL,
    canceled_count bigint NOT NULL,
    switched timestamptz NOT NULL,
    switched_ns bigint NOT NULL
);

CREATE TABLE hoga.mass_cancel_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    account bigint NOT NULL,      -- 0: all
    user_id bigint NOT NULL,      -- who asked; 0: the exchange
    instrument bigint NOT NULL,   -- 0: any
    side "char",                  -- null: both
    on_disconnect boolean NOT NULL,
    canceled_count bigint NOT NULL,
    canceled timestamptz NOT NULL,
    canceled_ns bigint NOT NULL
);
