-- Compliance reads the views and the words they use; the tables stay with their owner.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO compliance;
GRANT SELECT ON public.orders, public.executions, public.trades, public.deposits, public.refusals,
    public.accounts, public.users, public.api_keys, public.instruments, public.reject_reasons
    TO compliance;
