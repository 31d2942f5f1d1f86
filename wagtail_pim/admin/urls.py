from django.urls import path

from . import jobs, mapping, runs
from .views import refresh_product, test_connection

app_name = "wagtail_pim"
urlpatterns = [
    path("test-connection/", test_connection, name="test_connection"),
    path("pages/<int:page_id>/refresh/", refresh_product, name="refresh_product"),
    *jobs.urlpatterns,
    *runs.urlpatterns,
    *mapping.urlpatterns,
]
