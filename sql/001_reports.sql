-- The tables that hoga-reporter fills from the journals. Each row is written exactly once, in the
-- same transaction as the cursor; only open orders change afterwards.
--
-- *_px, *_notional and cash are integers in 1/10000 of the currency, *_qty are shares, *_ns are
-- nanoseconds since the epoch (the timestamptz beside it has microseconds). One-character columns
-- hold FIX 4.4's own characters. seq are journal sequence numbers: in_seq names the command,
-- exec_id is the execution's number in the `out` journal. The views in 002 spell all of it out.

CREATE TABLE hoga.reporter_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    instance text NOT NULL,       -- the exchange whose journals these are
    in_seq bigint NOT NULL,       -- last command that is here completely
    out_seq bigint NOT NULL,      -- last event that is here
    updated timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE hoga.reject_reason (
    reject_reason integer PRIMARY KEY,
    code text NOT NULL UNIQUE,
    detail text NOT NULL
);

CREATE TABLE hoga.account_row (
    account bigint PRIMARY KEY,
    name text NOT NULL,
    in_seq bigint NOT NULL,
    opened timestamptz NOT NULL
);

CREATE TABLE hoga.user_row (
    user_id bigint PRIMARY KEY,
    account bigint NOT NULL,      -- 0: staff without an account
    name text NOT NULL,
    in_seq bigint NOT NULL,
    added timestamptz NOT NULL
);

CREATE TABLE hoga.api_key_row (
    key_id text PRIMARY KEY,
    user_id bigint NOT NULL,
    scopes integer NOT NULL,      -- bits: 1 read, 2 trade, 4 admin, 8 report
    in_seq bigint NOT NULL,
    added timestamptz NOT NULL
);

CREATE TABLE hoga.instrument_row (
    instrument bigint PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    name text NOT NULL,
    tick_px bigint NOT NULL,
    lot_qty bigint NOT NULL,
    max_order_qty bigint NOT NULL,
    max_order_notional bigint NOT NULL,
    in_seq bigint NOT NULL,
    listed timestamptz NOT NULL
);

CREATE TABLE hoga.deposit_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    account bigint NOT NULL,
    instrument bigint NOT NULL,   -- 0: cash
    qty bigint NOT NULL,          -- cash or shares
    balance bigint NOT NULL,      -- the account's, after it
    deposited timestamptz NOT NULL,
    deposited_ns bigint NOT NULL
);
CREATE INDEX deposit_row_account ON hoga.deposit_row (account, out_seq);

CREATE TABLE hoga.order_row (
    order_id bigint PRIMARY KEY,
    cl_ord_id text,
    account bigint NOT NULL,
    user_id bigint NOT NULL,
    instrument bigint NOT NULL,
    side "char" NOT NULL,
    ord_type "char" NOT NULL,
    time_in_force "char" NOT NULL,
    ord_status "char" NOT NULL,
    reject_reason integer NOT NULL,
    sent_qty bigint NOT NULL,     -- as the order was sent
    order_qty bigint NOT NULL,    -- as it stands after replaces
    limit_px bigint NOT NULL,
    cum_qty bigint NOT NULL,
    leaves_qty bigint NOT NULL,
    cum_notional numeric NOT NULL, -- sum of last_px * last_qty: avg_px without rounding
    in_seq bigint NOT NULL,       -- the command that sent it
    created timestamptz NOT NULL,
    created_ns bigint NOT NULL,
    updated timestamptz NOT NULL,
    updated_ns bigint NOT NULL
) WITH (fillfactor = 85);         -- room for the updates of open orders on the same page
CREATE INDEX order_row_account ON hoga.order_row (account, order_id);
CREATE INDEX order_row_cl_ord_id ON hoga.order_row (cl_ord_id) WHERE cl_ord_id IS NOT NULL;
CREATE INDEX order_row_created ON hoga.order_row USING brin (created);

CREATE TABLE hoga.execution_row (
    exec_id bigint PRIMARY KEY,
    in_seq bigint NOT NULL,       -- the command that caused it
    order_id bigint NOT NULL,
    trade_id bigint,              -- both sides of a trade carry the same
    account bigint NOT NULL,
    instrument bigint NOT NULL,
    side "char" NOT NULL,
    exec_type "char" NOT NULL,
    ord_status "char" NOT NULL,
    last_liquidity smallint NOT NULL, -- 1 added (maker), 2 removed (taker)
    reject_reason integer NOT NULL,
    limit_px bigint NOT NULL,
    order_qty bigint NOT NULL,
    last_qty bigint NOT NULL,
    last_px bigint NOT NULL,
    cum_qty bigint NOT NULL,
    leaves_qty bigint NOT NULL,
    transact_time timestamptz NOT NULL,
    transact_time_ns bigint NOT NULL
);
CREATE INDEX execution_row_order ON hoga.execution_row (order_id, exec_id);
CREATE INDEX execution_row_transact_time ON hoga.execution_row USING brin (transact_time);

CREATE TABLE hoga.trade_row (
    trade_id bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    instrument bigint NOT NULL,
    last_qty bigint NOT NULL,
    last_px bigint NOT NULL,
    taker_side "char" NOT NULL,
    buy_order_id bigint NOT NULL,
    sell_order_id bigint NOT NULL,
    buy_account bigint NOT NULL,
    sell_account bigint NOT NULL,
    buy_exec_id bigint NOT NULL,
    sell_exec_id bigint NOT NULL,
    trade_time timestamptz NOT NULL,
    trade_time_ns bigint NOT NULL
);
CREATE INDEX trade_row_instrument ON hoga.trade_row (instrument, trade_id);
CREATE INDEX trade_row_trade_time ON hoga.trade_row USING brin (trade_time);

-- Requests that changed nothing: cancels and replaces of orders that were not open, client order
-- ids used twice, refused administrative commands.
CREATE TABLE hoga.refusal_row (
    out_seq bigint PRIMARY KEY,
    in_seq bigint NOT NULL,
    command integer NOT NULL,     -- its template, as engine/message/schema.xml numbers them
    account bigint,
    order_id bigint,
    reject_reason integer NOT NULL,
    refused timestamptz NOT NULL,
    refused_ns bigint NOT NULL
);
CREATE INDEX refusal_row_account ON hoga.refusal_row (account, out_seq);
