from django.urls import path

from .views import TestConnectionView

app_name = "wagtail_pim"
urlpatterns = [
    path("test-connection/", TestConnectionView.as_view(), name="test_connection"),
]
