from __future__ import annotations


class _Pass:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class RequestContext(_Pass):
    pass


class SlowQueries(_Pass):
    pass


class DomainErrorPage(_Pass):
    pass
