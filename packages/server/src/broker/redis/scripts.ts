import { createHash } from "node:crypto";

/**
 * A Lua script, which Redis executes atomically. Redis caches the script under the hash of its
 * text.
 */
export interface LuaScript {
  readonly text: string;
  readonly sha: string;
}

/**
 * First lines of the scripts. With such a line, Redis checks before the start whether the script
 * may write. Without the line, a script that is refused at its third command would already have
 * executed two. Only scripts that append are refused when Redis is out of memory: reading positions
 * and renewing the lease must go on.
 */
const WRITES = "#!lua";
const WRITES_LITTLE = "#!lua flags=allow-oom";
const READS = "#!lua flags=no-writes";

function script(...parts: string[]): LuaScript {
  const text = parts.map((part) => part.trim()).join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/**
 * `stand` returns the state of a topic. For an unknown topic, `stand` starts a new epoch and
 * deletes the log and table of the old epoch, because no client can continue the old positions.
 * `keep` renews the expiry of meta and table. Meta must not expire before the table.
 */
const stand = `
local function stand(meta, log, tbl, newEpoch)
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'id', 'ttl', 'tableTtl')
  if known[1] then
    return known[1], tonumber(known[2]) or 0, known[3] or '', tonumber(known[4]) or 0, tonumber(known[5]) or 0
  end
  redis.call('DEL', meta, log, tbl)
  redis.call('HSET', meta, 'epoch', newEpoch, 'offset', 0, 'id', '')
  return newEpoch, 0, '', 0, 0
end
local function keep(meta, tbl, ttl, tableTtl)
  if ttl > 0 then redis.call('PEXPIRE', meta, ttl) end
  if tableTtl > 0 then redis.call('PEXPIRE', tbl, tableTtl) end
end`;

/** The number of arguments for each publication. */
export const APPEND_ARGUMENTS = 21;

/**
 * Appends publications to one topic, in order.
 *
 * KEYS: meta, log, table, then one key for each publication: its idempotency key, or any key of the
 * topic.
 *
 * ARGV, for each publication:
 * 1. id
 * 2. body
 * 3. entry of the table (JSON, or empty)
 * 4. new epoch, used if the topic is unknown
 * 5. size of the log (0: no log)
 * 6. time to live of the log
 * 7. change of the table ('', 'set' or 'del')
 * 8. field
 * 9. value
 * 10. time to live of the table
 * 11. '1' with an idempotency key
 * 12. expected offset ('': any)
 * 13. expected id
 * 14. pub/sub channel
 * 15. command that announces
 * 16. time to live of meta
 * 17. time to live of the idempotency key
 * 18. '1' with a document
 * 19. text of the document
 * 20. id of the publication that stored the expected document ('': none)
 * 21. time to live of the document
 *
 * The document is part of meta, so both expire together and belong to the same epoch.
 *
 * Returns outcome, epoch, offset, id and previous value for each publication, or the error that
 * kept the publication from being stored. After an error, the remaining publications are still
 * appended.
 */
export const append = script(
  WRITES,
  stand,
  `
local meta, log, tbl = KEYS[1], KEYS[2], KEYS[3]
local function append(key, from)
  local function arg(index) return ARGV[from + index] end
  local id, body, entry = arg(1), arg(2), arg(3)
  if arg(11) == '1' then
    local first = redis.call('HMGET', key, 'epoch', 'offset', 'id')
    if first[1] then return { 'duplicate', first[1], first[2], first[3] } end
  end
  local epoch, offset, last, ttl, tableTtl = stand(meta, log, tbl, arg(4))
  ttl = math.max(ttl, tonumber(arg(16)))
  local change, field = arg(7), arg(8)
  if change ~= '' then
    tableTtl = tonumber(arg(10))
    ttl = math.max(ttl, tableTtl)
  end
  if arg(12) ~= '' and (tonumber(arg(12)) ~= offset or arg(13) ~= last) then
    keep(meta, tbl, ttl, tableTtl)
    return { 'conflict', epoch, offset, last }
  end
  local isDocument = arg(18) == '1'
  if isDocument and (redis.call('HGET', meta, 'documentId') or '') ~= arg(20) then
    keep(meta, tbl, ttl, tableTtl)
    return { 'conflict', epoch, offset, last }
  end
  if isDocument then ttl = math.max(ttl, tonumber(arg(21))) end
  local previous = false
  if change ~= '' then
    previous = redis.call('HGET', tbl, field)
    if change == 'del' and not previous then
      keep(meta, tbl, ttl, tableTtl)
      return { 'unchanged', epoch, offset, last }
    end
  end
  offset = offset + 1
  local size = tonumber(arg(5))
  if size > 0 then
    local add = { 'XADD', log, 'MAXLEN', '=', size, string.format('%.0f-0', offset), 'i', id, 'p', last, 'e', entry, 'b', body }
    -- A log that is ahead of its meta was written by another program, or half of the topic was deleted: start it again.
    local added = redis.pcall(unpack(add))
    if type(added) == 'table' and added.err then
      if not string.find(added.err, 'WRONGTYPE') and not string.find(added.err, 'equal or smaller') then return added end
      redis.call('DEL', log)
      redis.call(unpack(add))
    end
    redis.call('PEXPIRE', log, arg(6))
  end
  if change == 'set' then redis.call('HSET', tbl, field, arg(9)) end
  if change == 'del' then redis.call('HDEL', tbl, field) end
  redis.call('HSET', meta, 'offset', string.format('%.0f', offset), 'id', id, 'ttl', ttl, 'tableTtl', tableTtl)
  if isDocument then redis.call('HSET', meta, 'document', arg(19), 'documentId', id) end
  keep(meta, tbl, ttl, tableTtl)
  if arg(11) == '1' then
    redis.call('HSET', key, 'epoch', epoch, 'offset', string.format('%.0f', offset), 'id', id)
    redis.call('PEXPIRE', key, arg(17))
  end
  redis.call(arg(15), arg(14),
    string.format('%.0f:%d:%d:%d:', offset, #id, #last, #entry) .. id .. last .. entry .. body)
  return { 'appended', epoch, offset, id, previous }
end
local answers = {}
for index = 4, #KEYS do
  local isDone, answer = pcall(append, KEYS[index], (index - 4) * ${APPEND_ARGUMENTS})
  -- If Redis refuses a command, the error is a table. An error of the script itself is a string.
  answers[#answers + 1] = (isDone or type(answer) == 'table') and answer or redis.error_reply('ERR ' .. tostring(answer))
end
return answers`,
);

/**
 * Reads a topic.
 *
 * KEYS: meta, log, table.
 *
 * ARGV:
 * 1. new epoch, used if the topic is unknown
 * 2. time to live of a topic that is unknown
 * 3. lowest offset to read from the log ('': the log is not read)
 * 4. number of events, the latest ones
 * 5. '1' to read the table
 * 6. '1' to read the document
 * 7. id of the document that the reader already knows
 *
 * Returns epoch, offset, id, log (latest first), table, and the document as id and text. If the
 * reader knows the document, 1 replaces its text.
 */
export const read = script(
  WRITES_LITTLE,
  stand,
  `
local meta, log, tbl = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset, id, ttl, tableTtl = stand(meta, log, tbl, ARGV[1])
if ttl == 0 then
  ttl = tonumber(ARGV[2])
  redis.call('HSET', meta, 'ttl', ttl)
end
keep(meta, tbl, ttl, tableTtl)
local events, entries, document = {}, {}, {}
if ARGV[3] ~= '' then events = redis.call('XREVRANGE', log, '+', ARGV[3] .. '-0', 'COUNT', ARGV[4]) end
if ARGV[5] == '1' then entries = redis.call('HGETALL', tbl) end
if ARGV[6] == '1' then
  local broughtBy = redis.call('HGET', meta, 'documentId')
  -- An empty id means no document: callers pass it when they expect or know none.
  if broughtBy and broughtBy ~= '' then
    document = { broughtBy, broughtBy == ARGV[7] and 1 or redis.call('HGET', meta, 'document') }
  end
end
return { epoch, offset, id, events, entries, document }`,
);

/**
 * Returns the positions of topics and renews their expiry.
 *
 * KEYS: meta and table of each topic in turn.
 *
 * Returns { epoch, offset, id } for each topic, or an empty list if the topic is unknown.
 */
export const positions = script(
  WRITES_LITTLE,
  stand,
  `
local found = {}
for index = 1, #KEYS, 2 do
  -- If another program has overwritten one topic, the others must still be answered.
  local known = redis.pcall('HMGET', KEYS[index], 'epoch', 'offset', 'id', 'ttl', 'tableTtl')
  if known[1] then
    keep(KEYS[index], KEYS[index + 1], tonumber(known[4]) or 0, tonumber(known[5]) or 0)
    found[#found + 1] = { known[1], tonumber(known[2]) or 0, known[3] or '' }
  else
    found[#found + 1] = {}
  end
end
return found`,
);

/**
 * Renews the lease of an instance.
 *
 * KEYS: a hash with the number of each instance's latest beat. ARGV: 1. instance, 2. number of this
 * beat.
 *
 * Returns the number of its previous beat ('' if unknown), instances and numbers in turn, and the
 * clock of Redis in milliseconds. The clock serves only to notice clock changes, which make keys
 * expire too early or too late.
 */
export const beat = script(
  WRITES_LITTLE,
  `
local time = redis.call('TIME')
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return { before or '', redis.call('HGETALL', KEYS[1]), time[1] * 1000 + math.floor(time[2] / 1000) }`,
);

/**
 * Removes instances that have stopped renewing their lease.
 *
 * KEYS: as in `beat`. ARGV: instances and numbers in turn. An instance is removed only if its
 * number has not changed. Returns the removed instances.
 */
export const bury = script(
  WRITES_LITTLE,
  `
local gone = {}
for index = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', KEYS[1], ARGV[index])
    gone[#gone + 1] = ARGV[index]
  end
end
return gone`,
);

/** Removes an instance that leaves. KEYS: as in `beat`. ARGV: 1. instance. */
export const leave = script(WRITES_LITTLE, `return redis.call('HDEL', KEYS[1], ARGV[1])`);

/** Returns all instances that have neither left nor been removed. KEYS: as in `beat`. */
export const members = script(READS, `return redis.call('HKEYS', KEYS[1])`);
