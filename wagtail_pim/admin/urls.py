from django.urls import path

from .views import test_connection

app_name = "wagtail_pim"
urlpatterns = [
    path("test-connection/", test_connection, name="test_connection"),
]
