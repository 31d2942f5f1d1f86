"""Spokewell, a bicycle shop: page types, a catalog and a storefront."""
