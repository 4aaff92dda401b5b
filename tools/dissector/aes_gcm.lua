-- AES-256-GCM in plain Lua 5.2, to open single frames: NIST FIPS 197 and SP 800-38D. Slow and not
-- constant in time, which does not matter to who reads a capture.
local M = {}
local band, bxor, bor = bit32.band, bit32.bxor, bit32.bor
local lshift, rshift = bit32.lshift, bit32.rshift

local function double(x)
  x = lshift(x, 1)
  return x > 0xff and band(bxor(x, 0x1b), 0xff) or x
end

-- The S-box from its definition: inverse in GF(2^8), then the affine map.
local sbox = {}
do
  local p, q = 1, 1
  repeat
    p = bxor(p, double(p)) -- times 3
    q = bxor(q, lshift(q, 1))
    q = bxor(q, lshift(q, 2))
    q = band(bxor(q, lshift(q, 4)), 0xff)
    if q >= 0x80 then q = bxor(q, 0x09) end
    local x = q
    for shift = 1, 4 do x = bxor(x, band(bor(lshift(q, shift), rshift(q, 8 - shift)), 0xff)) end
    sbox[p] = bxor(x, 0x63)
  until p == 1
  sbox[0] = 0x63
end

local function expand(key) -- 32 bytes as a string: 15 round keys of 16 bytes, one after the other
  local w, rcon = { key:byte(1, 32) }, 1
  for i = 33, 240, 4 do
    local t = { w[i - 4], w[i - 3], w[i - 2], w[i - 1] }
    if (i - 1) % 32 == 0 then
      t = { bxor(sbox[t[2]], rcon), sbox[t[3]], sbox[t[4]], sbox[t[1]] }
      rcon = double(rcon)
    elseif (i - 1) % 32 == 16 then
      t = { sbox[t[1]], sbox[t[2]], sbox[t[3]], sbox[t[4]] }
    end
    for j = 0, 3 do w[i + j] = bxor(w[i + j - 32], t[j + 1]) end
  end
  return w
end

local function encrypt_block(w, block) -- 16 bytes in a table, both ways
  local s = {}
  for i = 1, 16 do s[i] = bxor(block[i], w[i]) end
  for round = 1, 14 do
    local t = {}
    for column = 0, 3 do
      local a = {}
      for row = 0, 3 do a[row] = sbox[s[(column + row) % 4 * 4 + row + 1]] end
      for row = 0, 3 do
        local here, next_one = a[row], a[(row + 1) % 4]
        local mixed = here
        if round < 14 then
          local all = bxor(a[0], a[1], a[2], a[3])
          mixed = bxor(here, all, double(bxor(here, next_one)))
        end
        t[column * 4 + row + 1] = bxor(mixed, w[round * 16 + column * 4 + row + 1])
      end
    end
    s = t
  end
  return s
end

local function words(bytes)
  local out = {}
  for i = 0, 3 do
    out[i + 1] = bor(lshift(bytes[i * 4 + 1], 24), lshift(bytes[i * 4 + 2], 16),
                     lshift(bytes[i * 4 + 3], 8), bytes[i * 4 + 4])
  end
  return out
end

local function multiply(x, h) -- in GF(2^128), bit 0 the leftmost
  local z, v = { 0, 0, 0, 0 }, { h[1], h[2], h[3], h[4] }
  for i = 0, 127 do
    if band(rshift(x[math.floor(i / 32) + 1], 31 - i % 32), 1) == 1 then
      for j = 1, 4 do z[j] = bxor(z[j], v[j]) end
    end
    local odd = band(v[4], 1)
    for j = 4, 2, -1 do v[j] = bor(rshift(v[j], 1), lshift(band(v[j - 1], 1), 31)) end
    v[1] = rshift(v[1], 1)
    if odd == 1 then v[1] = bxor(v[1], 0xe1000000) end
  end
  return z
end

local function digest(y, h, data) -- GHASH of the data, filled up with zeros to whole blocks
  for at = 1, #data, 16 do
    local block = { data:byte(at, math.min(at + 15, #data)) }
    for i = #block + 1, 16 do block[i] = 0 end
    local x = words(block)
    for j = 1, 4 do y[j] = bxor(y[j], x[j]) end
    y = multiply(y, h)
  end
  return y
end

-- The plain text, or nil when the tag does not verify. All are strings; nonce of 12 bytes.
function M.open(key, nonce, aad, sealed)
  if #key ~= 32 or #nonce ~= 12 or #sealed < 16 then return nil end
  local w = expand(key)
  local cipher, tag = sealed:sub(1, -17), sealed:sub(-16)
  local function keystream(counter)
    local block = { nonce:byte(1, 12) }
    for i = 0, 3 do block[13 + i] = band(rshift(counter, 24 - 8 * i), 0xff) end
    return encrypt_block(w, block)
  end
  local zeros = {}
  for i = 1, 16 do zeros[i] = 0 end
  local h = words(encrypt_block(w, zeros))
  local y = digest(digest({ 0, 0, 0, 0 }, h, aad), h, cipher)
  local lengths = { 0, #aad * 8, 0, #cipher * 8 }
  for j = 1, 4 do y[j] = bxor(y[j], lengths[j]) end
  y = multiply(y, h)
  local mask = words(keystream(1))
  local expected = words({ tag:byte(1, 16) })
  for j = 1, 4 do
    if bxor(y[j], mask[j]) ~= expected[j] then return nil end
  end
  local out = {}
  for at = 1, #cipher, 16 do
    local stream = keystream(2 + (at - 1) / 16)
    for i = at, math.min(at + 15, #cipher) do
      out[#out + 1] = string.char(bxor(cipher:byte(i), stream[i - at + 1]))
    end
  end
  return table.concat(out)
end

return M
