"""XXH3 with 64 bits and a seed, as xxHash 0.8 specifies it."""

import struct
from operator import mul

MASK = (1 << 64) - 1
PRIME32_1, PRIME32_2, PRIME32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
PRIME64_1, PRIME64_2, PRIME64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
PRIME64_4, PRIME64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
MIX_1, MIX_2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
STRIPE, STRIPES = 64, 16
BLOCK = STRIPE * STRIPES
START = (PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1)


def read32(data, at):
    return int.from_bytes(data[at : at + 4], "little")


def read64(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def swap(value, size):
    return int.from_bytes(value.to_bytes(size, "little"), "big")


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def fold(one, other):
    """The two halves of a product of 128 bits, one upon the other."""
    product = one * other
    return (product & MASK) ^ (product >> 64)


def avalanche(value):
    value ^= value >> 37
    value = value * MIX_1 & MASK
    return value ^ value >> 32


def avalanche_of_xxh64(value):
    value = (value ^ value >> 33) * PRIME64_2 & MASK
    value = (value ^ value >> 29) * PRIME64_3 & MASK
    return value ^ value >> 32


def mix(data, at, secret_at, seed):
    """16 bytes of data with 16 of the secret."""
    low = read64(data, at) ^ (read64(SECRET, secret_at) + seed & MASK)
    high = read64(data, at + 8) ^ (read64(SECRET, secret_at + 8) - seed & MASK)
    return fold(low, high)


def up_to_16(data, seed):
    size = len(data)
    if size > 8:
        low = read64(data, 0) ^ ((read64(SECRET, 24) ^ read64(SECRET, 32)) + seed & MASK)
        high = read64(data, size - 8) ^ ((read64(SECRET, 40) ^ read64(SECRET, 48)) - seed & MASK)
        return avalanche(size + swap(low, 8) + high + fold(low, high) & MASK)
    if size > 3:
        seed ^= swap(seed & 0xFFFFFFFF, 4) << 32
        value = (read32(data, size - 4) + (read32(data, 0) << 32)) ^ (
            (read64(SECRET, 8) ^ read64(SECRET, 16)) - seed & MASK
        )
        value ^= rotate(value, 49) ^ rotate(value, 24)
        value = value * MIX_2 & MASK
        value = (value ^ (value >> 35) + size) * MIX_2 & MASK
        return value ^ value >> 28
    if size > 0:
        value = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
        return avalanche_of_xxh64(value ^ ((read32(SECRET, 0) ^ read32(SECRET, 4)) + seed & MASK))
    return avalanche_of_xxh64(seed ^ read64(SECRET, 56) ^ read64(SECRET, 64))


def up_to_128(data, seed):
    size, total = len(data), len(data) * PRIME64_1
    for step in range((size - 1) // 32 + 1):
        total += mix(data, 16 * step, 32 * step, seed)
        total += mix(data, size - 16 * (step + 1), 32 * step + 16, seed)
    return avalanche(total & MASK)


def up_to_240(data, seed):
    size = len(data)
    total = size * PRIME64_1 + sum(mix(data, 16 * step, 16 * step, seed) for step in range(8))
    total = avalanche(total & MASK)
    total += sum(mix(data, 16 * step, 16 * (step - 8) + 3, seed) for step in range(8, size // 16))
    return avalanche(total + mix(data, size - 16, 119, seed) & MASK)


def derive(seed):
    """The secret that long inputs are mixed with."""
    words = struct.unpack("<24Q", SECRET)
    signs = (seed, -seed)
    return struct.pack("<24Q", *(word + signs[index & 1] & MASK for index, word in enumerate(words)))


def accumulate(lanes, data, key):
    """Add stripes to the eight lanes; `key` is as long as they are. All stripes are keyed by one XOR."""
    words = len(data) // 8
    keyed = int.from_bytes(data, "little") ^ int.from_bytes(key, "little")
    halves = struct.unpack(f"<{2 * words}I", keyed.to_bytes(len(data), "little"))
    plain = struct.unpack(f"<{words}Q", data)
    return [
        lane + sum(map(mul, halves[2 * index :: 16], halves[2 * index + 1 :: 16])) + sum(plain[index ^ 1 :: 8]) & MASK
        for index, lane in enumerate(lanes)
    ]


def above_240(data, seed):
    size, secret, lanes = len(data), derive(seed), START
    key = b"".join(secret[8 * stripe : 8 * stripe + STRIPE] for stripe in range(STRIPES))
    scramble = struct.unpack("<8Q", secret[128:])
    blocks = (size - 1) // BLOCK
    for at in range(0, blocks * BLOCK, BLOCK):
        lanes = accumulate(lanes, data[at : at + BLOCK], key)
        lanes = [(lane ^ lane >> 47 ^ word) * PRIME32_1 & MASK for lane, word in zip(lanes, scramble)]
    rest = (size - 1 - blocks * BLOCK) // STRIPE * STRIPE
    lanes = accumulate(lanes, data[blocks * BLOCK : blocks * BLOCK + rest], key[:rest])
    lanes = accumulate(lanes, data[-STRIPE:], secret[121 : 121 + STRIPE])
    pairs = struct.unpack("<8Q", secret[11 : 11 + 64])
    keyed = [lane ^ word for lane, word in zip(lanes, pairs)]
    return avalanche(size * PRIME64_1 + sum(map(fold, keyed[::2], keyed[1::2])) & MASK)


def xxh3(data, seed=0):
    """The digest of bytes; the seed has at most 64 bits."""
    data = bytes(data)
    if len(data) <= 16:
        return up_to_16(data, seed)
    if len(data) <= 128:
        return up_to_128(data, seed)
    return up_to_240(data, seed) if len(data) <= 240 else above_240(data, seed)
