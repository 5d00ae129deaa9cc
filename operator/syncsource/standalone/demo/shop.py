"""The demo's data: orders, stores and products, and the changes that happen to them."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SITE_ZONE = ZoneInfo("Asia/Jakarta")
"""The zone that the orders' times are in and do not name, as WordPress sends them."""

_CITIES = ("Jakarta", "Bandung", "Surabaya", "Medan", "Semarang", "Makassar", "Denpasar")
_NAMES = ("Ayu", "Budi", "Citra", "Dewi", "Eko", "Fitri", "Gilang", "Hana")
_GOODS = ("Tent", "Backpack", "Stove", "Lamp", "Rope", "Boots", "Jacket", "Kayak")
_STATUSES = ("pending", "processing", "completed", "refunded")


class Shop:
    """Keeps itself in a file, so that a demo that is started again goes on; :meth:`change` moves it on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._random = random.Random()
        kept = json.loads(file.read_text()) if file.exists() else self._new()
        self.port: int = kept.get("port", 0)
        """Where it was last served; 0: nowhere yet."""
        self._orders: list[dict[str, Any]] = kept["orders"]
        self.stores: list[dict[str, Any]] = kept["stores"]
        self.products: list[dict[str, Any]] = kept["products"]

    def _new(self) -> dict[str, Any]:
        start = datetime.now(UTC) - timedelta(days=2)
        return {
            "orders": [self._order(number, start + timedelta(minutes=number)) for number in range(1, 521)],
            "stores": [_store(number) for number in range(1, 22)],
            "products": [self._product(number) for number in range(1, 121)],
        }

    def save(self) -> None:
        """Write the file anew, whole or not at all."""
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps({"port": self.port, "orders": self._orders, "stores": self.stores, "products": self.products}))
        os.replace(draft, self._file)

    def orders_since(self, modified_after: str) -> list[dict[str, Any]]:
        """Orders whose local time of change is at or after the text given, oldest change first."""
        found = [order for order in self._orders if order["modified"] >= modified_after]
        return sorted(found, key=lambda order: (order["modified"], order["id"]))

    def change(self) -> None:
        """Three orders move on, one is new, a store's hours and two prices change."""
        now = datetime.now(UTC)
        for order in self._random.sample(self._orders, 3):
            order.update(status=self._random.choice(_STATUSES), modified=_local(now))
        self._orders.append(self._order(len(self._orders) + 1, now))
        self._random.choice(self.stores)["opens"] = f"{self._random.randint(7, 10):02}:00"
        for product in self._random.sample(self.products, 2):
            product["price"] = self._price()
        self.save()

    def _order(self, number: int, moment: datetime) -> dict[str, Any]:
        return {
            "id": number,
            "number": f"SO-{number:06}",
            "status": self._random.choice(_STATUSES),
            "currency": "IDR",
            "customer": {"name": f"{self._random.choice(_NAMES)} {number}", "phone": f"+62811{number:07}"},
            "total": self._price(),
            "items": self._random.randint(1, 9),
            "created": _local(moment),
            "modified": _local(moment),
        }

    def _product(self, number: int) -> dict[str, Any]:
        name = f"{self._random.choice(_GOODS)} {number}"
        return {"sku": f"P-{number:04}", "name": name, "price": self._price(), "stock": self._random.randint(0, 500), "active": True}

    def _price(self) -> str:
        return f"{self._random.randint(10, 9_999) * 1_000 + self._random.randint(0, 99) / 100:.2f}"


def _store(number: int) -> dict[str, Any]:
    city = _CITIES[number % len(_CITIES)]
    return {
        "id": number,
        "name": f"{city} {number}",
        "city": city,
        "opens": "09:00",
        "location": {"lat": f"-6.{number:04}", "lng": f"106.{number:04}"},
    }


def _local(moment: datetime) -> str:
    return moment.astimezone(SITE_ZONE).strftime("%Y-%m-%dT%H:%M:%S")
