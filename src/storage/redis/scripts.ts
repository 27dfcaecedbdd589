/**
 * What is done in one step inside Redis: Lua scripts, each a step of a task's life. All keys begin with one prefix that holds a
 * hash tag, so that a cluster keeps them together.
 *
 *   task:<id>       hash: record (JSON), revision, status, lane, doc (its key), progress
 *   tasks, status:<status>, doc:<key>, collection:<name>   ids of tasks, in order (all scores 0); of collections other than `default`
 *   order           ids of tasks by their ordinal; those of version 0.1.0, which have none, are not in it
 *   ordinal         the last one that was given out
 *   waiting:<lane>  ids of pending tasks that nobody holds, by their ordinal (0: version 0.1.0); waiting:<lane>:<caller> those of one caller, callers:<lane> whose there are
 *   held            hash: id → the owner that holds it
 *   busy            hash: doc key → the id that runs, or is the next to run
 *   parked          `<doc key> <id>` of tasks that found their document busy, in order
 *   cancels         ids whose holder is to stop
 *   changed, ended  ids by the time of their last change and of their end (Unix, ms)
 *   owners, roles, layouts   processes by the time they were last seen, by the server's clock; what they are; how they store tasks
 *   layout          how tasks are stored here
 */
import type { Redis } from 'ioredis';

/** The scripts as methods; what they answer is in their comments. */
export interface Commands {
  /**
   * `created`, or `there` when the id is known already; `lost` when the owner is not alive, `late` after `deadlineMs` by the
   * server's clock: whoever asked has given up.
   */
  taskCreate(
    p: string,
    id: string,
    lane: string,
    doc: string,
    record: string,
    owner: string,
    deadlineMs: number,
    ordinal: number,
    caller: string,
    collection: string,
  ): Promise<string>;
  /** A task of another engine as it is: `created`, `there` or `lost`. */
  taskBringIn(
    p: string,
    id: string,
    lane: string,
    doc: string,
    record: string,
    owner: string,
    revision: number,
    status: string,
    endedAt: number,
    ordinal: number,
    caller: string,
    collection: string,
  ): Promise<string>;
  /** The next ordinal, greater than `known` too. */
  orderNext(p: string, known: number): Promise<number>;
  /** `[the least ordinal of all tasks]`; [] when there is none. */
  orderLowest(p: string): Promise<[number?]>;
  /**
   * The next record of a task: `ok`, `gone`, `stale` (not its next revision), `held` (by another process, or by any when
   * `holder` is empty), `fenced` (the holder is no longer, or is not alive). A holder may write the
   * same record again. The second element is a task that was parked behind it, if it ended here: `[answer, id, lane]`.
   */
  taskChange(
    p: string,
    id: string,
    holder: string,
    record: string,
    revision: number,
    status: string,
  ): Promise<[string, string?, string?]>;
  /** `held` or `cancel` (held, and asked to stop), `busy` (parked), `over` (nothing to run), `lost` (the owner is not alive). */
  taskHold(p: string, id: string, owner: string): Promise<string>;
  /** Makes the oldest job of a caller the next one of its lane, if it can be taken; 1 when there was one. */
  taskTurn(p: string, lane: string, jobs: string, caller: string): Promise<number>;
  /** 1 when it could be taken, so that it must have a job: it waits, and no other task of its doc_id runs or is the next to run. */
  taskWantsJob(p: string, id: string): Promise<number>;
  /** `ok` or `lost`, and the task that was parked behind it: `[answer, id, lane]`. */
  taskLetGo(p: string, id: string, owner: string): Promise<[string, string?, string?]>;
  /** Takes a task from an owner that is gone: `ok` or `stale`. An empty record leaves it as it is. */
  taskReclaim(p: string, id: string, owner: string, record: string, revision: number): Promise<string>;
  /** Asks whoever holds it, now or next; 0 when it has ended. */
  taskAskToStop(p: string, id: string): Promise<number>;
  /** 1 when this owner holds it and is alive. */
  taskIsHeld(p: string, id: string, owner: string): Promise<number>;
  /** 1 when it was written. */
  taskProgress(p: string, id: string, owner: string, progress: string): Promise<number>;
  /** Record, progress and place of each: `[record, progress, place]`, null for an unknown id. */
  taskSnapshots(p: string, ...ids: string[]): Promise<([string, string | null, number | null] | null)[]>;
  /** 1 when it was there, had ended and was removed. */
  taskForget(p: string, id: string, withdrawn: number): Promise<number>;
  /**
   * Of some waiting tasks from a place on, which are noted as their callers' (version 0.1.0 did not): `[next place, [ids that could run but
   * have no job]]`; -1 at the end. One that is passed over, since others left meanwhile, is found at the next look.
   */
  taskJobless(p: string, lane: string, jobs: string, from: number): Promise<[number, string[]]>;
  /** `[time, is a worker seen, [ids asked to stop], [id, owner, …] held or taken by owners that are gone or by this one]`; [] when this owner is gone. */
  ownerShow(p: string, owner: string, leaseMs: number, ...jobs: string[]): Promise<[] | [number, number, string[], string[]]>;
  /** Declares dead `owner, score, …`: whoever has not shown itself since the score of `owners` was read; their ids. */
  ownerBury(p: string, ...owners: string[]): Promise<string[]>;
}

const shared = `
local p = KEYS[1]
local function key(name) return p .. ':' .. name end
local function field(id, name) return redis.call('HGET', key('task:' .. id), name) end
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function alive(owner) return redis.call('ZSCORE', key('owners'), owner) end
local function tell(message) redis.call('PUBLISH', key('signals'), message) end
local function ended(status) return status == 'completed' or status == 'failed' end
local function changed(id)
  redis.call('ZADD', key('changed'), nowMs(), id)
  tell('task ' .. id)
end
local function write(id, record, revision, status, endedAt)
  local before = field(id, 'status')
  if before then redis.call('ZREM', key('status:' .. before), id) end
  redis.call('HSET', key('task:' .. id), 'record', record, 'revision', revision, 'status', status)
  redis.call('HDEL', key('task:' .. id), 'progress')
  redis.call('ZADD', key('status:' .. status), 0, id)
  if ended(status) then
    redis.call('ZADD', key('ended'), endedAt, id)
    redis.call('SREM', key('cancels'), id)
  else
    redis.call('ZREM', key('ended'), id)
  end
  changed(id)
end
local function belong(id, collection)
  if collection == '' then return end
  redis.call('HSET', key('task:' .. id), 'collection', collection)
  redis.call('ZADD', key('collection:' .. collection), 0, id)
end
local function wait(id)
  local lane, caller = field(id, 'lane'), field(id, 'caller') or ''
  local ordinal = redis.call('ZSCORE', key('order'), id) or 0
  redis.call('ZADD', key('waiting:' .. lane), ordinal, id)
  redis.call('ZADD', key('waiting:' .. lane .. ':' .. caller), ordinal, id)
  redis.call('SADD', key('callers:' .. lane), caller)
end
local function parkedNext(doc)
  local found = redis.call('ZRANGEBYLEX', key('parked'), '[' .. doc .. ' ', '[' .. doc .. '!', 'LIMIT', 0, 1)
  if #found == 0 then return {} end
  local id = string.sub(found[1], #doc + 2)
  return { id, field(id, 'lane') or 'small' }
end
local function freeDocument(id)
  local doc = field(id, 'doc')
  if redis.call('HGET', key('busy'), doc) ~= id then return {} end
  redis.call('HDEL', key('busy'), doc)
  return parkedNext(doc)
end
local function wantsJob(id)
  local status = field(id, 'status')
  if not status or ended(status) or redis.call('HEXISTS', key('held'), id) == 1 then return false end
  local running = redis.call('HGET', key('busy'), field(id, 'doc'))
  return not running or running == id
end
local function stopWaiting(id)
  local lane, caller = field(id, 'lane'), field(id, 'caller') or ''
  redis.call('ZREM', key('waiting:' .. lane), id)
  redis.call('ZREM', key('waiting:' .. lane .. ':' .. caller), id)
  if redis.call('EXISTS', key('waiting:' .. lane .. ':' .. caller)) == 0 then redis.call('SREM', key('callers:' .. lane), caller) end
  redis.call('ZREM', key('parked'), field(id, 'doc') .. ' ' .. id)
end
`;

const lua: Readonly<Record<keyof Commands, string>> = {
  taskCreate: `
    local id, lane, doc, record = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
    if field(id, 'record') then return 'there' end
    if not alive(ARGV[5]) then return 'lost' end
    if nowMs() > tonumber(ARGV[6]) then return 'late' end
    redis.call('HSET', key('task:' .. id), 'lane', lane, 'doc', doc, 'caller', ARGV[8])
    redis.call('ZADD', key('tasks'), 0, id)
    redis.call('ZADD', key('doc:' .. doc), 0, id)
    redis.call('ZADD', key('order'), ARGV[7], id)
    belong(id, ARGV[9])
    write(id, record, 1, 'pending', 0)
    wait(id)
    tell('job')
    return 'created'`,
  taskBringIn: `
    local id, lane, doc, record, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[7]
    if field(id, 'record') then return 'there' end
    if not alive(ARGV[5]) then return 'lost' end
    redis.call('HSET', key('task:' .. id), 'lane', lane, 'doc', doc, 'caller', ARGV[10])
    redis.call('ZADD', key('tasks'), 0, id)
    redis.call('ZADD', key('doc:' .. doc), 0, id)
    if ARGV[9] ~= '0' then redis.call('ZADD', key('order'), ARGV[9], id) end
    belong(id, ARGV[11])
    write(id, record, ARGV[6], status, ARGV[8])
    if not ended(status) then wait(id) end
    return 'created'`,
  orderNext: `
    local ordinal = math.max(tonumber(redis.call('GET', key('ordinal')) or '0'), tonumber(ARGV[1])) + 1
    redis.call('SET', key('ordinal'), string.format('%.0f', ordinal))
    return ordinal`,
  orderLowest: `
    if redis.call('ZCARD', key('order')) < redis.call('ZCARD', key('tasks')) then return { 0 } end
    local first = redis.call('ZRANGE', key('order'), 0, 0, 'WITHSCORES')
    return first[2] and { tonumber(first[2]) } or {}`,
  taskChange: `
    local id, holder, record, revision, status = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
    local before = redis.call('HMGET', key('task:' .. id), 'record', 'revision')
    if not before[1] then return { 'gone' } end
    local held = redis.call('HGET', key('held'), id)
    if holder == '' and held then return { 'held' } end
    if holder ~= '' and (held ~= holder or not alive(holder)) then return { 'fenced' } end
    if held and before[1] == record then return { 'ok' } end
    if tonumber(before[2]) ~= revision - 1 then return { 'stale' } end
    write(id, record, revision, status, nowMs())
    if held then return { 'ok' } end
    if not ended(status) then
      redis.call('SREM', key('cancels'), id)
      wait(id)
      return { 'ok' }
    end
    stopWaiting(id)
    local parked = freeDocument(id)
    return { 'ok', parked[1], parked[2] }`,
  taskHold: `
    local id, owner = ARGV[1], ARGV[2]
    if not alive(owner) then return 'lost' end
    local status = field(id, 'status')
    if not status or ended(status) then return 'over' end
    local held = redis.call('HGET', key('held'), id)
    if held and held ~= owner then return 'over' end
    local doc = field(id, 'doc')
    local running = redis.call('HGET', key('busy'), doc)
    if running and running ~= id then
      redis.call('ZADD', key('parked'), 0, doc .. ' ' .. id)
      return 'busy'
    end
    redis.call('HSET', key('held'), id, owner)
    redis.call('HSET', key('busy'), doc, id)
    stopWaiting(id)
    if redis.call('SISMEMBER', key('cancels'), id) == 1 then return 'cancel' end
    return 'held'`,
  taskTurn: `
    local lane, jobs, caller = ARGV[1], ARGV[2], ARGV[3]
    for _, id in ipairs(redis.call('ZRANGE', key('waiting:' .. lane .. ':' .. caller), 0, 999)) do
      local status = field(id, 'status')
      if not status or ended(status) or redis.call('HEXISTS', key('held'), id) == 1 then
        redis.call('ZREM', key('waiting:' .. lane .. ':' .. caller), id)
      elseif wantsJob(id) and redis.call('LREM', jobs .. 'wait', -1, id) > 0 then
        redis.call('RPUSH', jobs .. 'wait', id)
        return 1
      end
    end
    return 0`,
  taskWantsJob: `
    return wantsJob(ARGV[1]) and 1 or 0`,
  taskLetGo: `
    local id, owner = ARGV[1], ARGV[2]
    if redis.call('HGET', key('held'), id) ~= owner or not alive(owner) then return { 'lost' } end
    redis.call('HDEL', key('held'), id)
    if not ended(field(id, 'status')) then wait(id) end
    local parked = freeDocument(id)
    return { 'ok', parked[1], parked[2] }`,
  taskReclaim: `
    local id, owner, record, revision = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
    if redis.call('HGET', key('held'), id) ~= owner then return 'ok' end
    if record ~= '' then
      if tonumber(field(id, 'revision')) ~= revision - 1 then return 'stale' end
      write(id, record, revision, 'pending', 0)
    end
    redis.call('HDEL', key('held'), id)
    if ended(field(id, 'status')) then freeDocument(id) else wait(id) end
    return 'ok'`,
  taskAskToStop: `
    local status = field(ARGV[1], 'status')
    if not status or ended(status) then return 0 end
    redis.call('SADD', key('cancels'), ARGV[1])
    tell('cancel ' .. ARGV[1])
    return 1`,
  taskIsHeld: `
    return redis.call('HGET', key('held'), ARGV[1]) == ARGV[2] and alive(ARGV[2]) and 1 or 0`,
  taskProgress: `
    local id, owner = ARGV[1], ARGV[2]
    if redis.call('HGET', key('held'), id) ~= owner or not alive(owner) or field(id, 'status') ~= 'processing' then return 0 end
    redis.call('HSET', key('task:' .. id), 'progress', ARGV[3])
    changed(id)
    return 1`,
  taskSnapshots: `
    local answer, counts = {}, {}
    local function placeIn(lane, caller, id)
      local place = redis.call('ZRANK', key('waiting:' .. lane .. ':' .. caller), id)
      if not place then return redis.call('ZRANK', key('waiting:' .. lane), id) end
      if not counts[lane] then
        counts[lane] = {}
        for _, other in ipairs(redis.call('SMEMBERS', key('callers:' .. lane))) do
          counts[lane][other] = redis.call('ZCARD', key('waiting:' .. lane .. ':' .. other))
        end
      end
      local before = place
      for other, count in pairs(counts[lane]) do
        if other ~= caller then before = before + math.min(count, place) end
      end
      return before
    end
    for i, id in ipairs(ARGV) do
      local found = redis.call('HMGET', key('task:' .. id), 'record', 'progress', 'lane', 'caller')
      local place = found[3] and placeIn(found[3], found[4] or '', id)
      answer[i] = found[1] and { found[1], found[2], place } or false
    end
    return answer`,
  taskForget: `
    local id, withdrawn = ARGV[1], ARGV[2] == '1'
    local status = field(id, 'status')
    if not status or redis.call('HEXISTS', key('held'), id) == 1 then return 0 end
    if withdrawn then
      if status ~= 'pending' or field(id, 'revision') ~= '1' then return 0 end
    elseif not ended(status) then
      return 0
    end
    stopWaiting(id)
    freeDocument(id)
    redis.call('ZREM', key('doc:' .. field(id, 'doc')), id)
    local collection = field(id, 'collection')
    if collection then redis.call('ZREM', key('collection:' .. collection), id) end
    for _, set in ipairs({ 'tasks', 'status:' .. status, 'changed', 'ended', 'order' }) do redis.call('ZREM', key(set), id) end
    redis.call('SREM', key('cancels'), id)
    redis.call('DEL', key('task:' .. id))
    return 1`,
  taskJobless: `
    local lane, jobs, from = ARGV[1], ARGV[2], tonumber(ARGV[3])
    local ids = redis.call('ZRANGE', key('waiting:' .. lane), from, from + 499)
    local jobless = {}
    for _, id in ipairs(ids) do
      wait(id)
      if wantsJob(id) and redis.call('EXISTS', jobs .. id) == 0 then table.insert(jobless, id) end
    end
    return { #ids == 500 and from + 500 or -1, jobless }`,
  ownerShow: `
    local owner, leaseMs = ARGV[1], tonumber(ARGV[2])
    if not alive(owner) then return {} end
    local now = nowMs()
    redis.call('ZADD', key('owners'), now, owner)
    local worker = 0
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', key('owners'), now - leaseMs, '+inf')) do
      if redis.call('HGET', key('roles'), other) == 'worker' then worker = 1 end
    end
    local strays = {}
    local function consider(id, holder)
      if holder == owner or not alive(holder) then
        table.insert(strays, id)
        table.insert(strays, holder)
      end
    end
    local held = redis.call('HGETALL', key('held'))
    for i = 1, #held, 2 do consider(held[i], held[i + 1]) end
    for i = 3, #ARGV do
      for _, id in ipairs(redis.call('LRANGE', ARGV[i] .. 'active', 0, -1)) do
        local token = redis.call('GET', ARGV[i] .. id .. ':lock')
        if token and redis.call('HGET', key('held'), id) ~= token then consider(id, token) end
      end
    end
    return { now, worker, redis.call('SMEMBERS', key('cancels')), strays }`,
  ownerBury: `
    local dead = {}
    for i = 1, #ARGV, 2 do
      local owner = ARGV[i]
      if redis.call('ZSCORE', key('owners'), owner) == ARGV[i + 1] then
        redis.call('ZREM', key('owners'), owner)
        redis.call('HDEL', key('roles'), owner)
        redis.call('HDEL', key('layouts'), owner)
        table.insert(dead, owner)
      end
    end
    return dead`,
};

/** Makes the scripts known to a client and gives them their types. */
export function defineCommands(redis: Redis): Commands {
  for (const [name, body] of Object.entries(lua)) redis.defineCommand(name, { numberOfKeys: 1, lua: shared + body });
  return redis as unknown as Commands;
}
