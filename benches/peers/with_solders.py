"""The payout of ten payees that benches/solana.rs builds, by solders.

pip install solders==0.29.0; python benches/peers/with_solders.py
"""

import time

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

KEY = Keypair.from_seed(bytes([7] * 32))
MINT = Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")


def address(kind: int, n: int) -> Pubkey:
    return Pubkey(n.to_bytes(4, "little") + bytes([kind] * 28))


PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")


def transfer(source: Pubkey, to: Pubkey, owner: Pubkey, amount: int) -> Instruction:
    data = bytes([12]) + amount.to_bytes(8, "little") + bytes([6])
    accounts = [
        AccountMeta(source, False, True),
        AccountMeta(MINT, False, False),
        AccountMeta(to, False, True),
        AccountMeta(owner, True, False),
    ]
    return Instruction(PROGRAM, data, accounts)


SOURCE = get_associated_token_address(KEY.pubkey(), MINT)
ACCOUNTS = [address(2, n) for n in range(10)]


def build() -> bytes:
    payer = KEY.pubkey()
    orders = [set_compute_unit_limit(20_000), set_compute_unit_price(1_000)]
    orders += [transfer(SOURCE, to, payer, 5) for to in ACCOUNTS]
    message = MessageV0.try_compile(payer, orders, [], Hash(bytes([9] * 32)))
    return bytes(VersionedTransaction(message, [KEY]))


def main() -> None:
    print(len(build()), "bytes")
    best = 0.0
    for _ in range(7):
        start, count = time.process_time(), 0
        while time.process_time() - start < 1:
            build()
            count += 1
        best = max(best, count / (time.process_time() - start))
    print(f"solders: {best:.0f} a second, {1e6 / best:.1f} us each")


main()
