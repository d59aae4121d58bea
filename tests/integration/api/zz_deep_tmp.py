import base64, time, re
import pytest, psycopg
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.integration.api.conftest import *
from tests.integration.api.conftest import add_batch
pytestmark=pytest.mark.django_db(transaction=True)
def test_deep(house, as_user):
    with connection.cursor() as c:
        for b in range(5):
            batch = add_batch(house.plan, house.here if b%2 else house.there, f"big{b}")
            c.execute("INSERT INTO vouchers_voucher (batch_id,plan_id,code,status,created_at) SELECT %s,%s,'B'||%s||lpad(i::text,7,'0'),'new',now() FROM generate_series(1,100000) i", [batch.pk, house.plan.pk, b])
        c.execute("select min(id),max(id) from vouchers_voucher"); lo,hi=c.fetchone()
    p=connection.get_connection_params()
    o=settings.DATABASE_OWNER
    with psycopg.connect(host=p["host"],dbname=p["dbname"],user=o["USER"],password=o["PASSWORD"],autocommit=True,**({"port":p["port"]} if p.get("port") else {})) as k:
        k.execute("ANALYZE")
    op=as_user(house.operator); ad=as_user(house.admin)
    def t(client,q):
        best=9e9
        for _ in range(5):
            a=time.perf_counter(); r=client.get("/api/v1/vouchers/"+q); b=time.perf_counter()-a; best=min(best,b)
            assert r.status_code==200, r.content
        return round(best*1000,1), len(r.json()["results"])
    cur=lambda n: base64.urlsafe_b64encode(f"o{n}".encode()).decode().rstrip("=")
    from vouchers.models import VoucherBatch
    b0=VoucherBatch.objects.get(name="big1").pk
    for who,c in (("operator",op),("admin",ad)):
        print(who,"first",t(c,""),"deep",t(c,f"?cursor={cur(lo+110000)}"),"code",t(c,"?code=B10000777"),"prefix",t(c,"?code_prefix=B10012"),"wide prefix",t(c,"?code_prefix=B1"),"old batch",t(c,f"?batch={b0}"),"batch+status",t(c,f"?batch={b0}&status=new"),"status",t(c,"?status=new"),"none",t(c,"?status=sold"))
    for q in ("?status=new","?code_prefix=B1"):
        with CaptureQueriesContext(connection) as cap: op.get("/api/v1/vouchers/"+q)
        sql=[x["sql"] for x in cap if "vouchers_voucher\"." in x["sql"]][-1]
        with connection.cursor() as c:
            c.execute("EXPLAIN ANALYZE "+sql); print("\n".join(r[0] for r in c.fetchall()))
