-- Wireshark dissector of hotpair's frames: the session-sync frames of the data planes
-- (dataplane/WIRE.md), decrypted where the key is known, and the clear header of the agents'
-- heartbeats (agent/WIRE.md). See README.md.
local folder = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"
local gcm = dofile(folder .. "aes_gcm.lua")

local sync = Proto("hotpair_sync", "hotpair session sync")
local beat = Proto("hotpair_heartbeat", "hotpair heartbeat")
sync.prefs.key_file = Pref.string("Key file", "", "lines 'KEY-ID 64-hex-digits'; it is a secret")
sync.prefs.ethertype = Pref.uint("Ethertype", 0x9890, "as in cluster.yaml")

local CLEAR, HEADER, TAG = 24, 32, 16
local KINDS = { [1] = "data", [2] = "marker", [3] = "ack", [4] = "report", [5] = "offer" }
local RECORDS = { [0] = "sweep", [1] = "create", [2] = "update", [3] = "delete" }
local TIMEOUTS = { [0] = 432000, 120, 60, 30, 10, 300, 180, 600, 3, 210, 240, 86400 }
local TCP_STATES = { [0] = "none", "syn_sent", "syn_recv", "established", "fin_wait", "close_wait",
  "last_ack", "time_wait", "close", "syn_sent2" }

local f = {
  magic = ProtoField.string("hotpair.magic", "Magic"),
  version = ProtoField.uint8("hotpair.version", "Version"),
  wrap = ProtoField.uint8("hotpair.wrap", "Kind", base.DEC, { "sealed body", "relayed heartbeat", "hello of a port" }),
  group = ProtoField.uint16("hotpair.group", "Group"),
  chassis = ProtoField.uint8("hotpair.chassis", "Sender's chassis id"),
  length = ProtoField.uint16("hotpair.length", "Length"),
  key_id = ProtoField.uint32("hotpair.key_id", "Key id"),
  counter = ProtoField.uint64("hotpair.counter", "Counter"),
  sealed = ProtoField.bytes("hotpair.sealed", "Sealed body"),
  kind = ProtoField.uint8("hotpair.kind", "Body", base.DEC, KINDS),
  in_sync = ProtoField.bool("hotpair.in_sync", "In sync", 8, nil, 1),
  span = ProtoField.uint16("hotpair.span", "Span"),
  stream = ProtoField.uint32("hotpair.stream", "Stream"),
  epoch = ProtoField.uint64("hotpair.epoch", "Epoch"),
  sender = ProtoField.uint32("hotpair.sender", "Sender's instance", base.HEX),
  receiver = ProtoField.uint32("hotpair.receiver", "Receiver's instance", base.HEX),
  sequence = ProtoField.uint64("hotpair.sequence", "Sequence"),
  records = ProtoField.uint16("hotpair.records", "Records"),
  record = ProtoField.string("hotpair.record", "Record"),
  round = ProtoField.uint32("hotpair.round", "Round"),
  wanted = ProtoField.uint8("hotpair.wanted", "Wanted", base.DEC,
    { [0] = "an ack", [1] = "the root", [2] = "all digests" }),
  sessions = ProtoField.uint64("hotpair.sessions", "Sessions"),
  credit = ProtoField.uint16("hotpair.credit", "Credit"),
  delay = ProtoField.uint32("hotpair.delay_us", "Microseconds since the newest"),
  newest = ProtoField.uint64("hotpair.newest", "Newest received"),
  received = ProtoField.bytes("hotpair.received", "Received"),
  first_bucket = ProtoField.uint16("hotpair.first_bucket", "First bucket"),
  marker = ProtoField.uint64("hotpair.marker", "Marker"),
  root = ProtoField.uint64("hotpair.root", "Root", base.HEX),
  digests = ProtoField.bytes("hotpair.digests", "Digests"),
  hello_port = ProtoField.uint8("hotpair.hello_port", "Port"),
  hello_heard = ProtoField.bool("hotpair.hello_heard", "Hears the peer", 8, nil, 1),
  hello_several = ProtoField.bool("hotpair.hello_several", "Has several ports", 8, nil, 2),
  hello_takes = ProtoField.uint16("hotpair.hello_takes", "Longest frame taken"),
  hello_longest = ProtoField.uint16("hotpair.hello_longest", "Longest frame received"),
  path = ProtoField.uint8("hotpair.path", "Path"),
  salt = ProtoField.bytes("hotpair.salt", "Sender's salt"),
  echoed = ProtoField.bytes("hotpair.echoed_salt", "Echoed salt"),
  beat_kind = ProtoField.uint8("hotpair.beat_kind", "Kind", base.DEC, { "heartbeat", "greeting" }),
}
sync.fields = f
local malformed = ProtoExpert.new("hotpair.malformed", "Malformed", expert.group.MALFORMED,
  expert.severity.ERROR)
local unopened = ProtoExpert.new("hotpair.unopened", "Not decrypted", expert.group.DECRYPTION,
  expert.severity.NOTE)
sync.experts = { malformed, unopened }

local keys, keys_of = {}, nil
local function key_for(id)
  if keys_of ~= sync.prefs.key_file then
    keys, keys_of = {}, sync.prefs.key_file
    local file = keys_of ~= "" and io.open(keys_of, "r")
    if file then
      for line in file:lines() do
        local number, hex = line:match("^%s*(%w+)%s+(%x+)%s*$")
        if number and tonumber(number) and #hex == 64 then
          keys[tonumber(number)] = hex:gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)
        end
      end
      file:close()
    end
  end
  return keys[id]
end

-- Reads a body field by field; an error says that it ended too early.
local Reader = {}
Reader.__index = Reader
local function reader(tvb) return setmetatable({ tvb = tvb, at = 0 }, Reader) end
function Reader:left() return self.tvb:len() - self.at end
function Reader:take(count)
  if count > self:left() then error("the body ends too early", 0) end
  local range = self.tvb(self.at, count)
  self.at = self.at + count
  return range
end
function Reader:uint(count) return self:take(count):uint() end
function Reader:add(tree, field, count) return tree:add(field, self:take(count)) end

local function address(r, ipv6)
  local range = r:take(ipv6 and 16 or 4)
  return tostring(ipv6 and range:ipv6() or range:ipv4())
end

local function tuple(r, ipv6)
  local src, dst = address(r, ipv6), address(r, ipv6)
  return string.format("%s:%d > %s:%d", src, r:uint(2), dst, r:uint(2))
end

-- What stands behind the mark and zone, as long as WIRE.md says each is.
local function skip_more(r, ipv6)
  local parts, size = r:uint(2), ipv6 and 16 or 4
  local names = {}
  local function part(bit, name, read)
    if bit32.band(parts, bit) ~= 0 then
      read()
      names[#names + 1] = name
    end
  end
  part(1, "labels", function() r:take(16) end)
  part(2, "helper", function() r:take(r:uint(1)) end)
  part(4, "sequence adjustment", function() r:take(24) end)
  part(8, "synproxy", function() r:take(12) end)
  part(16, "sctp", function() r:take(8) end)
  part(32, "dccp", function() r:take(7) end)
  part(64, "master", function() r:take(1 + 2 * size + 4) end)
  part(128, "reply zone", function() r:take(2) end)
  part(256, "expectations", function()
    for _ = 1, r:uint(1) do
      r:take(7 + 2 * size + 4 + size + 2)
      if r:uint(1) ~= 0 then r:take(size + 2) end
      r:take(r:uint(1))
    end
  end)
  return table.concat(names, ", ")
end

local function changing(r, tcp, wide)
  local status = r:uint(1)
  local text = ""
  for bit, name in pairs({ [0x80] = "seen reply", [0x40] = "assured", [0x20] = "snat", [0x10] = "dnat" }) do
    if bit32.band(status, bit) ~= 0 then text = text .. " " .. name .. "," end
  end
  if tcp then
    local state = status % 16
    text = text .. " " .. (TCP_STATES[state] or tostring(state))
    r:take(wide and 2 or 1)
  end
  local code = r:uint(1)
  local seconds = TIMEOUTS[code] or (code == 254 and r:uint(2)) or (code == 255 and r:uint(4))
  if not seconds then error("an unknown timeout", 0) end
  return string.format("%s, %d s", text, seconds)
end

local function create(r, tag)
  local ipv6, code = bit32.band(tag, 0x20) ~= 0, bit32.band(tag, 0x0c)
  local id = r:uint(4)
  local protocol = code == 0 and "tcp" or code == 4 and "udp" or "protocol " .. r:uint(1)
  local src, dst = address(r, ipv6), address(r, ipv6)
  local text = string.format("create %d: %s %s:%d > %s:%d", id, protocol, src, r:uint(2), dst, r:uint(2))
  if bit32.band(tag, 0x10) ~= 0 then
    local parts = r:uint(1)
    if bit32.band(parts, 1) ~= 0 then text = text .. ", reply from " .. address(r, ipv6) end
    if bit32.band(parts, 2) ~= 0 then text = text .. ", reply to " .. address(r, ipv6) end
    if bit32.band(parts, 4) ~= 0 then text = text .. ", reply from port " .. r:uint(2) end
    if bit32.band(parts, 8) ~= 0 then text = text .. ", reply to port " .. r:uint(2) end
  end
  if bit32.band(tag, 1) ~= 0 then
    local which = r:uint(1)
    if bit32.band(which, 1) ~= 0 then text = text .. string.format(", mark 0x%x", r:uint(4)) end
    if bit32.band(which, 2) ~= 0 then text = text .. ", zone " .. r:uint(2) end
    if bit32.band(which, 4) ~= 0 then text = text .. ", " .. skip_more(r, ipv6) end
  end
  if code == 0 then r:take(1) end
  return text .. "," .. changing(r, code == 0, bit32.band(tag, 2) ~= 0)
end

local function record(r)
  local tag = r:uint(1)
  local kind = bit32.rshift(tag, 6)
  if kind == 1 then return create(r, tag) end
  if kind == 0 then
    return string.format("sweep of bucket %d from frame %s", r:uint(2), tostring(r:take(8):uint64()))
  end
  local id = r:uint(bit32.band(tag, 0x20) ~= 0 and 3 or 4)
  if kind == 3 then return "delete " .. id end
  return string.format("update %d:%s", id,
    changing(r, bit32.band(tag, 0x0c) == 0, bit32.band(tag, 2) ~= 0))
end

local function records(r, tree)
  local count = r:uint(2)
  tree:add(f.records, count)
  for _ = 1, count do
    local from = r.at
    local text = record(r)
    tree:add(f.record, r.tvb(from, r.at - from), text)
  end
end

local function received(r, tree)
  r:add(tree, f.newest, 8)
  local words = r:uint(2)
  if words > 0 then r:add(tree, f.received, 8 * words) end
end

local BODIES = {
  [1] = records,
  [5] = records,
  [2] = function(r, tree)
    r:add(tree, f.round, 4)
    r:add(tree, f.wanted, 1)
    r:take(3)
    r:add(tree, f.sessions, 8)
  end,
  [3] = function(r, tree)
    r:add(tree, f.credit, 2)
    r:add(tree, f.delay, 4)
    r:add(tree, f.sessions, 8)
    received(r, tree)
  end,
  [4] = function(r, tree)
    r:add(tree, f.round, 4)
    r:add(tree, f.first_bucket, 2)
    local count = r:uint(2)
    r:add(tree, f.marker, 8)
    r:add(tree, f.sessions, 8)
    r:add(tree, f.root, 8)
    received(r, tree)
    if count > 0 then r:add(tree, f.digests, 8 * count) end
  end,
}

local function dissect_body(tvb, pinfo, tree)
  local r = reader(tvb)
  local kind = tvb(0, 1):uint()
  r:add(tree, f.kind, 1)
  r:add(tree, f.in_sync, 1)
  r:add(tree, f.span, 2)
  r:add(tree, f.stream, 4)
  r:add(tree, f.epoch, 8)
  r:add(tree, f.sender, 4)
  r:add(tree, f.receiver, 4)
  local sequence = tvb(r.at, 8):uint64()
  r:add(tree, f.sequence, 8)
  pinfo.cols.info = string.format("%s %s", KINDS[kind] or "unknown", tostring(sequence))
  if not BODIES[kind] then error("an unknown kind of body", 0) end
  BODIES[kind](r, tree)
  if r:left() > 0 then error("bytes are left over", 0) end
end

local function dissect_hello(tvb, pinfo, tree)
  local r = reader(tvb)
  r:add(tree, f.hello_port, 1)
  local hears = bit32.band(tvb(r.at, 1):uint(), 1) == 1
  tree:add(f.hello_heard, tvb(r.at, 1))
  r:add(tree, f.hello_several, 1)
  r:add(tree, f.hello_takes, 2)
  r:add(tree, f.hello_longest, 2)
  pinfo.cols.info = "hello of a port that " .. (hears and "hears" or "does not hear") .. " the peer"
end

local function dissect_sealed(tvb, pinfo, tree, length)
  local sealed = tvb(CLEAR, length)
  tree:add(f.sealed, sealed)
  local key = key_for(tvb(12, 4):uint())
  if not key then return tree:add_proto_expert_info(unopened, "no key of this id in the key file") end
  local nonce = string.rep("\0", 4) .. tvb:raw(16, 8)
  local plain = gcm.open(key, nonce, tvb:raw(0, CLEAR), tvb:raw(CLEAR, length))
  if not plain then return tree:add_proto_expert_info(unopened, "the seal does not verify: another key") end
  if tvb(5, 1):uint() == 3 then
    local good = #plain > 0 and pcall(dissect_hello, ByteArray.new(plain, true):tvb("Hello"), pinfo, tree)
    if not good then tree:add_proto_expert_info(malformed, "shorter than a hello") end
    return
  end
  if #plain < HEADER then return tree:add_proto_expert_info(malformed, "shorter than a header") end
  local body = ByteArray.new(plain, true):tvb("Session sync")
  local good, why = pcall(dissect_body, body, pinfo, tree)
  if not good then tree:add_proto_expert_info(malformed, tostring(why)) end
end

local function dissect_heartbeat(tvb, pinfo, root)
  if tvb:len() < 64 then return 0 end
  pinfo.cols.protocol = "hotpair"
  local tree = root:add(beat, tvb(), "hotpair heartbeat")
  for _, part in ipairs({ { f.magic, 0, 4 }, { f.version, 4, 1 }, { f.beat_kind, 5, 1 }, { f.group, 6, 2 },
    { f.chassis, 8, 1 }, { f.path, 9, 1 }, { f.salt, 16, 16 }, { f.echoed, 32, 16 }, { f.counter, 48, 8 } }) do
    tree:add(part[1], tvb(part[2], part[3]))
  end
  if tvb:len() > 64 then tree:add(f.sealed, tvb(64)) end
  pinfo.cols.info = string.format("%s of chassis %d on path %d",
    tvb(5, 1):uint() == 2 and "greeting" or "heartbeat", tvb(8, 1):uint(), tvb(9, 1):uint())
  return tvb:len()
end

function sync.dissector(tvb, pinfo, root)
  if tvb:len() >= 4 and tvb:raw(0, 4) == "HPHB" then return dissect_heartbeat(tvb, pinfo, root) end
  if tvb:len() < CLEAR or tvb:raw(0, 4) ~= "HPSY" then return 0 end
  pinfo.cols.protocol = "hotpair"
  local tree = root:add(sync, tvb(), "hotpair session sync")
  for _, part in ipairs({ { f.magic, 0, 4 }, { f.version, 4, 1 }, { f.wrap, 5, 1 }, { f.group, 6, 2 },
    { f.chassis, 8, 1 }, { f.length, 10, 2 }, { f.key_id, 12, 4 }, { f.counter, 16, 8 } }) do
    tree:add(part[1], tvb(part[2], part[3]))
  end
  pinfo.cols.info = "sealed"
  local length = tvb(10, 2):uint()
  if length > tvb:len() - CLEAR then
    tree:add_proto_expert_info(malformed, "shorter than its header says")
  elseif tvb(5, 1):uint() == 2 then
    dissect_heartbeat(tvb(CLEAR, length):tvb(), pinfo, root)
  elseif tvb(4, 1):uint() ~= 3 then
    tree:add_proto_expert_info(unopened, "another version of the protocol")
  else
    dissect_sealed(tvb, pinfo, tree, length)
  end
  return tvb:len()
end

local registered = nil
local function register()
  if registered then DissectorTable.get("ethertype"):remove(registered, sync) end
  registered = sync.prefs.ethertype
  DissectorTable.get("ethertype"):add(registered, sync)
end
sync.prefs_changed = register
register()
