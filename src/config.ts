/**
 * The settings: one table, read once, checked all at once, passed on in pieces. `main.ts` alone hands the environment in;
 * docs/settings.md is made from `settingsTable()` and a test keeps it so.
 */
import { availableParallelism } from 'node:os';
import { parseApiKeys } from './http/access/api-keys.ts';
import { trustProxies } from './http/access/client-address.ts';
import { isLoopbackHost } from './http/access/origin-guard.ts';
import { parseQuotas } from './http/access/quotas.ts';
import { parseUserRules } from './http/access/users.ts';
import { parseSecret } from './webhooks/signature.ts';
import { createTargets } from './webhooks/targets.ts';
import { logLevels } from './logger.ts';
import { ocrPages } from './parse/images/ocr.ts';
import { usualLimits } from './parse/limits.ts';
import { createRedaction } from './redaction.ts';
import { parseFilesUrl } from './storage/objects/files-url.ts';
import { parseDatabaseUrl, parseReadUrl, withFirstHost } from './storage/database-url.ts';

type Setting<T> = {
  readonly name: string;
  /** What docs/settings.md says; one sentence per language. */
  readonly en: string;
  readonly zh: string;
  /** As a person would write it; null: no default. */
  readonly fallback: string;
  /** Shown instead of `fallback` where it depends on the machine. */
  readonly fallbackShown?: string;
  /** Which parts of what somebody set are secret. */
  readonly secret?: (text: string) => readonly string[];
  /** Where it means nothing: the sentence for somebody who sets it there, or null. */
  readonly pointless?: (engine: EngineChoice) => string | null;
  /** @throws Error saying what was expected. */
  readonly parse: (text: string) => T;
};

/** What the settings say about where everything is kept; '' for the data directory. */
type EngineChoice = { readonly databaseUrl: string };

const ofDatabases = {
  pointless: ({ databaseUrl }: EngineChoice) =>
    databaseUrl === '' ? 'it has no effect without DATABASE_URL; set that, or remove this' : null,
};

const MiB = 1024 * 1024;

const settings = {
  host: setting('HOST', '127.0.0.1', text(), 'Address to listen on.', '监听地址。'),
  port: setting('PORT', '8000', integer(0, 65535), 'Port to listen on; 0 takes a free one.', '监听端口；0 表示任取一个空闲端口。'),
  dataDir: setting(
    'DATA_DIR',
    './data',
    text(),
    'Folder for all data: tasks, files, index; on a local disk. With DATABASE_URL only files that are being processed.',
    '存放一切数据（任务、文件、索引）的目录，须为本地磁盘。设置 DATABASE_URL 后只存放正在处理的文件。',
  ),
  databaseUrl: {
    ...setting(
      'DATABASE_URL',
      '',
      databaseAddress(),
      'PostgreSQL database for all data instead, shared by any number of hosts, such as `postgres://user:password@host:5432/name`; of several servers, `postgres://user:password@one:5432,two:5432/name`, the primary is used; empty: DATA_DIR is used.',
      '改用此 PostgreSQL 数据库存放一切数据，供任意多台主机共用，例如 `postgres://user:password@host:5432/name`；写多台服务器（`postgres://user:password@one:5432,two:5432/name`）时使用当前的主库；留空则用 DATA_DIR。',
    ),
    secret: secretsOfAddress,
  },
  databaseDirectUrl: {
    ...setting(
      'DATABASE_DIRECT_URL',
      '',
      databaseAddress(),
      'The same database without a pooler, where DATABASE_URL leads to one that shares connections between transactions (such as PgBouncer with `pool_mode = transaction`); used for notifications, heartbeats and `rag-intake migrate`; empty: DATABASE_URL leads to the server itself, or to a pooler in session mode.',
      '当 DATABASE_URL 指向在事务之间共享连接的连接池（如 `pool_mode = transaction` 的 PgBouncer）时，此处写不经连接池的同一数据库，供通知、心跳和 `rag-intake migrate` 使用；留空表示 DATABASE_URL 直接指向服务器或会话模式的连接池。',
    ),
    secret: secretsOfAddress,
    ...ofDatabases,
  },
  databaseReadUrls: {
    ...setting(
      'DATABASE_READ_URL',
      '',
      parseReadUrl,
      'Standbys of DATABASE_URL that front ends read from, such as `postgres://user:password@two:5432,three:5432/name`; a standby that does not catch up with the primary within 100 ms of a request is not used for it; empty: the primary is used.',
      '前端查询所用的 DATABASE_URL 备库，例如 `postgres://user:password@two:5432,three:5432/name`；若备库在 100 毫秒内未跟上请求时的主库，则该请求不使用它；留空则使用主库。',
    ),
    secret: secretsOfAddress,
    ...ofDatabases,
  },
  filesUrl: {
    ...setting(
      'FILES_URL',
      '',
      parseFilesUrl,
      'Object store (S3, R2, Ceph, MinIO) for originals and contents instead of the database, such as `s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1`; empty: the database is used.',
      '改用此对象存储（S3、R2、Ceph、MinIO）代替数据库存放原件和内容，例如 `s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1`；留空则存放在数据库中。',
    ),
    pointless: ({ databaseUrl }: EngineChoice) =>
      databaseUrl === '' ? 'it has no effect without DATABASE_URL, which refers to its files; set that, or remove this' : null,
  },
  awsAccessKeyId: {
    ...setting('AWS_ACCESS_KEY_ID', '', text(), 'Access key ID for FILES_URL.', '访问 FILES_URL 所用的访问密钥 ID。'),
    secret: allOfIt,
  },
  awsSecretAccessKey: {
    ...setting('AWS_SECRET_ACCESS_KEY', '', text(), 'Secret access key for FILES_URL.', '访问 FILES_URL 所用的访问密钥。'),
    secret: allOfIt,
  },
  awsSessionToken: {
    ...setting(
      'AWS_SESSION_TOKEN',
      '',
      text(),
      'Session token for FILES_URL, for temporary keys; read at the start only.',
      '临时密钥附带的令牌；只在启动时读取。',
    ),
    secret: allOfIt,
  },
  queueUrl: {
    ...setting(
      'QUEUE_URL',
      '',
      address(['redis:', 'rediss:'], 'redis://:password@host:6379'),
      'Redis 7 or Valkey 8 for tasks and queue, such as `redis://:password@host:6379`; files and index stay in DATA_DIR, or with DATABASE_URL in the database.',
      '用此 Redis 7 或 Valkey 8 存放任务与队列，例如 `redis://:password@host:6379`；文件和索引仍在 DATA_DIR，若设置了 DATABASE_URL 则在数据库中。',
    ),
    secret: secretsOfAddress,
  },
  databaseConnections: {
    ...setting(
      'DATABASE_CONNECTIONS',
      '6',
      integer(2, 100),
      'Maximum connections of one process to the database; one more is used for notifications.',
      '每个进程最多使用的数据库连接数；另有一个专用于通知的连接。',
    ),
    ...ofDatabases,
  },
  searcher: {
    ...setting(
      'SEARCHER',
      '',
      oneOf(['', 'segments', 'postgres-fulltext']),
      'Searcher of the database of DATABASE_URL: `segments` (the built-in index) or `postgres-fulltext` (PostgreSQL’s full-text search, fed through an outbox; docs/scale.md); `rag-intake migrate` switches to it; empty: the one in use.',
      'DATABASE_URL 数据库的检索引擎：`segments`（自带索引）或 `postgres-fulltext`（PostgreSQL 全文检索，经发件箱（outbox）同步，见 docs/scale.md）；由 `rag-intake migrate` 切换；留空则沿用现有的。',
    ),
    ...ofDatabases,
  },
  syncBytesMax: setting(
    'SYNC_MAX_BYTES',
    String(10 * MiB),
    bytes(),
    'Uploads of strictly smaller files are answered when processed (200), others immediately (202).',
    '严格小于此字节数的文件在处理完成后返回 200，其余立即返回 202。',
  ),
  syncWaitMs: setting(
    'SYNC_WAIT_MS',
    '30000',
    integer(0, 600_000),
    'Longest time, in milliseconds, that a small upload waits before it is answered 202.',
    '小文件上传最长等待毫秒数，超过则返回 202。',
  ),
  fileBytesMax: setting('MAX_FILE_BYTES', String(100 * MiB), bytes(), 'Largest file accepted, in bytes.', '允许的最大文件字节数。'),
  threads: {
    ...setting(
      'MAX_CONCURRENT_TASKS',
      String(Math.min(4, availableParallelism())),
      integer(1, 4),
      'Tasks processed at once by one worker process.',
      '一个工作进程同时处理的任务数。',
    ),
    fallbackShown: 'min(4, cores)',
  },
  taskRetentionHours: setting(
    'TASK_RETENTION_HOURS',
    '24',
    number(0.01, 24 * 365),
    'Hours that a finished task is kept; cleaned up hourly.',
    '任务结束后保留的小时数；每小时清理一次。',
  ),
  checkMinutes: setting(
    'CHECK_EVERY_MINUTES',
    '60',
    number(0, 525_600),
    'Minutes between two checks of all stored documents for damage; 0: no checks.',
    '逐一检查全部文档有无损坏，两轮之间的分钟数；0 表示不检查。',
  ),
  queueTasksMax: setting(
    'QUEUE_MAX',
    '10000',
    integer(1, 1_000_000),
    'Maximum number of waiting tasks; beyond it uploads are refused (503).',
    '排队任务数上限；超过则拒绝上传（503）。',
  ),
  attemptsMax: setting(
    'ATTEMPTS_MAX',
    '3',
    integer(1, 10),
    'Maximum attempts at a task whose process dies or whose disk or embedder fails.',
    '进程崩溃、磁盘或向量服务出错时，一个任务最多尝试的次数。',
  ),
  retryDelayMs: setting(
    'RETRY_DELAY_MS',
    '1000',
    integer(0, 3_600_000),
    'Milliseconds before the second attempt; four times as long before each further one.',
    '第二次尝试前的停顿毫秒数；之后每次为前一次的四倍。',
  ),
  diskReserveBytes: {
    ...setting(
      'DISK_RESERVE_BYTES',
      String(1024 * MiB),
      integer(0, Number.MAX_SAFE_INTEGER),
      'Free bytes below which uploads are refused (507); not with DATABASE_URL.',
      '剩余字节数低于此值时拒绝上传（507）；不适用于 DATABASE_URL。',
    ),
    pointless: ({ databaseUrl }: EngineChoice) =>
      databaseUrl === ''
        ? null
        : "it has no effect with DATABASE_URL, where nothing is stored on this machine's disk; remove it, and watch the database's disk",
  },
  parseMs: setting(
    'PARSE_TIMEOUT_MS',
    '600000',
    integer(1000, 86_400_000),
    'Maximum processor time for parsing one document, in milliseconds; ten times that by the clock.',
    '解析一个文档最多可用的处理器毫秒数；按时钟计为其十倍。',
  ),
  pageMs: setting(
    'PAGE_TIMEOUT_MS',
    String(usualLimits.pageMs),
    integer(100, 3_600_000),
    'Maximum processor time for one page or slide, in milliseconds.',
    '处理一页或一张幻灯片最多可用的处理器毫秒数。',
  ),
  embedMs: setting(
    'EMBED_TIMEOUT_MS',
    '600000',
    integer(1000, 86_400_000),
    'Maximum processor time for chunking and embedding one document, and longest wait for its model, in milliseconds.',
    '切分并向量化一个文档最多可用的处理器毫秒数，也是模型无响应的最长时间。',
  ),
  threadMemoryMb: setting(
    'THREAD_MEMORY_MB',
    '1024',
    integer(128, 65_536),
    'Memory (MB) that one parsing thread may use before it is replaced.',
    '一个解析线程可用的内存（MB），超过则被替换。',
  ),
  unpackedBytesMax: setting(
    'MAX_UNPACKED_BYTES',
    String(usualLimits.unpackedBytesMax),
    bytes(),
    'Maximum unpacked size of one file, in bytes.',
    '一个文件解压后的最大字节数。',
  ),
  entriesMax: setting(
    'MAX_ARCHIVE_ENTRIES',
    String(usualLimits.entriesMax),
    integer(1, 1_000_000),
    'Maximum entries of one archive.',
    '一个压缩包内的最大条目数。',
  ),
  ratioMax: setting(
    'MAX_UNPACK_RATIO',
    String(usualLimits.ratioMax),
    integer(2, 100_000),
    'Maximum ratio of unpacked to packed size, after the first MiB.',
    '解压比上限（首个 MiB 之后）。',
  ),
  depthMax: setting(
    'MAX_NESTING',
    String(usualLimits.depthMax),
    integer(8, 10_000),
    'Maximum nesting of elements, lists or brackets.',
    '元素、列表、括号的嵌套层数。',
  ),
  pagesMax: setting(
    'MAX_PAGES',
    String(usualLimits.pagesMax),
    integer(1, 1_000_000),
    'Maximum pages, slides or sheets of one document.',
    '一个文档的最大页数。',
  ),
  cellsMax: setting(
    'MAX_CELLS',
    String(usualLimits.cellsMax),
    integer(1, 100_000_000),
    'Maximum table cells of one document.',
    '一个文档的最大单元格数。',
  ),
  charactersMax: setting(
    'MAX_CHARACTERS',
    String(usualLimits.charactersMax),
    integer(1000, 400_000_000),
    'Maximum characters of text of one document.',
    '一个文档的最大字符数。',
  ),
  pixelsMax: setting(
    'MAX_PICTURE_PIXELS',
    String(usualLimits.pixelsMax),
    integer(10_000, 2_000_000_000),
    'Maximum pixels of one picture; an A3 page at 600 dpi has 70 million.',
    '一张图片的最大像素数；600 dpi 的 A3 页面约为 7000 万。',
  ),
  pdfMemoryMb: setting(
    'MAX_PDF_MEMORY_MB',
    String(usualLimits.pdfMemoryMb),
    integer(160, 2048),
    'Maximum memory (MiB) for reading one PDF, outside the heap.',
    '解析一个 PDF 时堆外可用的内存（MiB）。',
  ),
  ocrPages: setting(
    'OCR_PAGES',
    'textless',
    oneOf(ocrPages),
    'What is read by OCR: `textless`: pages without text, and pictures without text on a fifth of a page or more; `all`: every page of a PDF too, and what its text does not say is added (OFD and XPS as with `textless`); `off`: nothing.',
    'OCR 识别的范围：`textless`：没有文字的页面，以及占页面五分之一以上且没有文字的图片；`all`：另加 PDF 的每一页，并补上其文字中没有的内容（OFD、XPS 与 `textless` 相同）；`off`：不识别。',
  ),
  ocrLanguages: setting(
    'OCR_LANGUAGES',
    '',
    ocrLanguageNames,
    'Languages for OCR as Tesseract names them, joined by `+`; empty: English and Chinese, as far as installed; `off`: pictures and scans are not read. `rag-intake doctor` says which are installed.',
    'OCR 语言，按 Tesseract 的名称以 `+` 连接；留空则使用现有的英文和中文；`off`：不识别图片和扫描件。`rag-intake doctor` 会列出已安装的语言。',
  ),
  chunkTokens: setting('CHUNK_TOKENS', '320', integer(32, 8192), 'Maximum tokens in one chunk.', '一个分块的最大词元数。'),
  apiKeys: {
    ...setting(
      'API_KEYS',
      '',
      parseApiKeys,
      'API keys, each `name:scope:key` or `name:scope:sha256:…` with scope read, write or admin, separated by commas; empty: only a loopback HOST is accepted.',
      'API 密钥，每个写作 `name:scope:key` 或 `name:scope:sha256:…`（scope 为 read、write 或 admin），逗号分隔；留空则只接受回环地址的 HOST。',
    ),
    secret: secretsOfKeys,
  },
  apiKeysFile: setting(
    'API_KEYS_FILE',
    '',
    text(),
    'File with more API keys, one per line.',
    '存放更多 API 密钥的文件，每行一个。',
  ),
  users: setting(
    'LOGIN_USERS',
    '',
    parseUserRules,
    'Who may log in with LOGIN_HEADER or OIDC, and with which scope: `alice@example.com:admin`, `bob:read@hr+finance`, `*:read` for everybody else, separated by commas.',
    '允许通过 LOGIN_HEADER 或 OIDC 登录的人及其权限：`alice@example.com:admin`、`bob:read@hr+finance`，`*:read` 表示其他所有人，逗号分隔。',
  ),
  loginHeader: setting(
    'LOGIN_HEADER',
    '',
    headerName(),
    'Header in which a proxy of TRUST_PROXY names the logged-in user, such as `X-Forwarded-User`; ignored from any other address; empty: none.',
    'TRUST_PROXY 中的代理用来写明登录者的请求头，例如 `X-Forwarded-User`；来自其他地址的一律无效；留空则不用。',
  ),
  oidcIssuer: setting(
    'OIDC_ISSUER',
    '',
    address(['https:', 'http:'], 'https://login.example.com/realms/office'),
    'OpenID Connect provider for logging in to the page, such as `https://login.example.com/realms/office`; empty: none. Register `/login/oidc/callback` of this server there as a redirect address.',
    '网页登录所用的 OpenID Connect 提供方，例如 `https://login.example.com/realms/office`；留空则不用。须在其重定向地址中登记本服务器的 `/login/oidc/callback`。',
  ),
  oidcClientId: setting(
    'OIDC_CLIENT_ID',
    '',
    text(),
    'Client ID of this server at the provider.',
    '本服务器在提供方登记的客户端标识。',
  ),
  oidcClientSecret: {
    ...setting('OIDC_CLIENT_SECRET', '', text(), 'Client secret; empty: a public client.', '对应的密钥；留空则为公开客户端。'),
    secret: allOfIt,
  },
  oidcClaim: setting(
    'OIDC_CLAIM',
    'email',
    text(),
    'Claim of the ID token that identifies people in LOGIN_USERS; `email` only if the provider has verified it.',
    'ID 令牌中用来在 LOGIN_USERS 里识别用户的声明（claim）；`email` 仅在提供方确认已验证时有效。',
  ),
  quotas: setting(
    'KEY_QUOTAS',
    '',
    parseQuotas,
    'Daily quotas of keys (UTC): `laptop:documents=1000+bytes=5G+requests=20000`, `user:alice@example.com:bytes=1G`, `*:requests=100000` for every other key, separated by commas. Counted in DATA_DIR: front ends that share only a database count separately.',
    '每个密钥每天（UTC）可用的量：`laptop:documents=1000+bytes=5G+requests=20000`、`user:alice@example.com:bytes=1G`，`*:requests=100000` 表示其他每个密钥，逗号分隔。计数保存在 DATA_DIR 中：只共用数据库的多个前端各自计数。',
  ),
  backupDir: {
    ...setting(
      'BACKUP_DIR',
      '',
      text(),
      'Folder, best on another disk, for a daily backup of DATA_DIR while the server runs; empty: no automatic backup.',
      '每天自动备份 DATA_DIR 到此目录（最好在另一块磁盘上），备份时服务器照常工作；留空则不自动备份。',
    ),
    pointless: ({ databaseUrl }: EngineChoice) => (databaseUrl === '' ? null : 'a database is backed up with pg_dump; remove this'),
  },
  backupAt: setting(
    'BACKUP_AT',
    '02:30',
    timeOfDay(),
    'Time of the daily backup, by the clock of this machine; a missed one is made at the next start.',
    '备份时间，按本机时钟；错过的在下次启动时补做。',
  ),
  backupKeep: setting('BACKUP_KEEP', '7', integer(1, 1000), 'Number of backups to keep.', '保留的备份份数。'),
  auditLog: setting(
    'AUDIT_LOG',
    '',
    text(),
    'File that records each search, upload, deletion, login and change of keys, as one line of JSON; empty: none.',
    '审计日志文件，每次搜索、上传、删除、登录和密钥变更各写一行 JSON；留空则不写。',
  ),
  auditQueries: setting(
    'AUDIT_QUERIES',
    'off',
    onOff(),
    'Whether the audit log includes the text of queries.',
    '审计日志是否包含查询文本。',
  ),
  allowedHosts: setting(
    'ALLOWED_HOSTS',
    '',
    list(),
    'Host names that this server accepts; empty: those of this machine on a loopback HOST, any on another.',
    '本服务器接受的主机名；留空时，回环 HOST 只接受本机的主机名，其他 HOST 接受任意主机名。',
  ),
  corsOrigins: setting(
    'CORS_ORIGINS',
    '',
    origins(),
    'Web origins that may call the API from a browser, such as `https://app.example.com`; empty: none.',
    '允许从浏览器调用的网页来源，例如 `https://app.example.com`；留空则一个也不允许。',
  ),
  trustedProxies: setting(
    'TRUST_PROXY',
    '',
    networks(),
    'Addresses or networks of proxies whose X-Forwarded-* headers are trusted, such as `127.0.0.1` or `10.0.0.0/8`; empty: none.',
    '其 X-Forwarded-* 头可信的代理地址或网段，例如 `127.0.0.1`、`10.0.0.0/8`；留空则都不信任。',
  ),
  basePath: setting(
    'BASE_PATH',
    '',
    pathPrefix(),
    'Path prefix under which a proxy serves this server, such as `/rag`.',
    '反向代理下的路径前缀，例如 `/rag`。',
  ),
  requestsPerSecond: {
    ...setting(
      'RATE_LIMIT',
      '',
      orNull(number(0, 1_000_000)),
      'Requests per second for each key or address, twice that in a burst; 0: no limit.',
      '每个密钥或地址每秒允许的请求数，突发可达两倍；0 表示不限。',
    ),
    fallbackShown: '0 on loopback, else 50',
  },
  webhookHosts: setting(
    'WEBHOOK_ALLOWED_HOSTS',
    '',
    targetHosts(),
    'Hosts that webhooks may be sent to, such as `hooks.example.com`, `*.example.com`, `host:8443` or `http://host`; empty: webhooks are off.',
    '允许发送 webhook 的主机，例如 `hooks.example.com`、`*.example.com`、`host:8443`、`http://host`；留空则关闭 webhook。',
  ),
  webhookNetworks: setting(
    'WEBHOOK_ALLOWED_NETWORKS',
    '',
    targetNetworks(),
    'Private or loopback networks that allowed hosts may resolve to, such as `10.0.0.0/8`; empty: public addresses only.',
    '允许的主机可以解析到的内网或回环网段，例如 `10.0.0.0/8`；留空则仅限公网地址。',
  ),
  webhookSecrets: {
    ...setting(
      'WEBHOOK_SECRET',
      '',
      (value) => list()(value).map(parseSecret),
      'Secret that signs webhooks (Standard Webhooks, `whsec_…`); several, separated by commas, while one is being replaced.',
      '用于签名 webhook（Standard Webhooks，`whsec_…`）；更换期间可用逗号分隔多个。',
    ),
    secret: secretsOfList,
  },
  webhookUrl: setting(
    'WEBHOOK_URL',
    '',
    text(),
    'Address to notify of the end of every task whose upload names no `callback_url`; empty: none.',
    '上传时未给出 `callback_url` 的任务结束后通知到此地址；留空则不通知。',
  ),
  mcp: setting(
    'MCP',
    'off',
    onOff(),
    'Whether the MCP server answers at /mcp: on or off.',
    '是否在 /mcp 提供 MCP 服务：on 或 off。',
  ),
  embedder: setting(
    'EMBEDDER',
    'builtin',
    oneOf(['builtin', 'onnx', 'openai']),
    'Second ranking: builtin (no model: typing errors, word forms, related words of your texts), onnx (a local model) or openai (a service).',
    '第二排序：builtin（无模型：纠错、词形与相关词）、onnx（本地模型）或 openai（向量服务）。',
  ),
  embedderModelDir: setting(
    'EMBEDDER_MODEL_DIR',
    '',
    text(),
    'Folder of a local ONNX model (config.json, tokenizer.json, onnx/model.onnx), for EMBEDDER=onnx.',
    '本地 ONNX 模型目录（config.json、tokenizer.json、onnx/model.onnx），用于 EMBEDDER=onnx。',
  ),
  embedderPooling: setting(
    'EMBEDDER_POOLING',
    'mean',
    oneOf(['mean', 'cls']),
    "How the ONNX model's word vectors are combined into one text vector; see its model card.",
    'ONNX 模型的池化方式，见模型说明。',
  ),
  embedderQueryPrefix: setting(
    'EMBEDDER_QUERY_PREFIX',
    '',
    (value) => value,
    'Prefix of a query, for models that need one (e.g. "query: ").',
    '查询前缀，供需要的模型使用（如 "query: "）。',
  ),
  embedderPassagePrefix: setting(
    'EMBEDDER_PASSAGE_PREFIX',
    '',
    (value) => value,
    'Prefix of a chunk, for models that need one (e.g. "passage: ").',
    '分块前缀，供需要的模型使用（如 "passage: "）。',
  ),
  embeddingsUrl: setting(
    'EMBEDDINGS_URL',
    '',
    text(),
    'Address of an OpenAI-compatible embeddings service, with its path, for EMBEDDER=openai.',
    'OpenAI 兼容向量服务的完整地址，用于 EMBEDDER=openai。',
  ),
  embeddingsModel: setting('EMBEDDINGS_MODEL', '', text(), 'Model of the embeddings service.', '向量服务使用的模型名。'),
  embeddingsKey: {
    ...setting('EMBEDDINGS_KEY', '', text(), 'Key sent to the embeddings service, as a bearer token.', '发送给向量服务的密钥。'),
    secret: allOfIt,
  },
  embeddingsDimensions: setting(
    'EMBEDDINGS_DIMENSIONS',
    '0',
    integer(0, 16_384),
    'Dimensions of the vectors of the model; others are refused.',
    '该模型的向量维数；不符则拒绝。',
  ),
  embeddingsTimeoutMs: setting(
    'EMBEDDINGS_TIMEOUT_MS',
    '30000',
    integer(100, 600_000),
    'Maximum time for one request to a model service, in milliseconds.',
    '对模型服务一次请求的最长毫秒数。',
  ),
  rerankUrl: setting(
    'RERANK_URL',
    '',
    text(),
    'Address of a rerank service (Jina, Cohere, vLLM, TEI), with its path; empty: none.',
    '重排序服务的完整地址（Jina、Cohere、vLLM、TEI）；留空则不用。',
  ),
  rerankModel: setting('RERANK_MODEL', '', text(), 'Model of the rerank service.', '重排序服务使用的模型名。'),
  rerankKey: {
    ...setting('RERANK_KEY', '', text(), 'Key sent to the rerank service.', '发送给重排序服务的密钥。'),
    secret: allOfIt,
  },
  rerankModelDir: setting(
    'RERANK_MODEL_DIR',
    '',
    text(),
    'Folder of a local ONNX cross-encoder that reranks the first hits; empty: none.',
    '本地 ONNX 交叉编码器目录，用于重排前几条结果；留空则不用。',
  ),
  translate: setting(
    'SEARCH_TRANSLATE',
    'on',
    onOff(),
    'Whether a query in Chinese finds English text and the other way round, with a dictionary (`on`, `off`).',
    '中文提问能否借助词典找到英文内容、英文提问能否找到中文内容（`on`、`off`）。',
  ),
  answerUrl: setting(
    'ANSWER_URL',
    '',
    text(),
    'Address of an OpenAI-compatible chat service, with its path, for POST /answer; empty: not available.',
    'OpenAI 兼容对话服务的完整地址，用于 POST /answer；留空则不提供该功能。',
  ),
  answerModel: setting('ANSWER_MODEL', '', text(), 'Model of the chat service.', '对话服务使用的模型名。'),
  answerKey: { ...setting('ANSWER_KEY', '', text(), 'Key sent to the chat service.', '发送给对话服务的密钥。'), secret: allOfIt },
  stopMs: setting(
    'STOP_TIMEOUT_MS',
    '8000',
    integer(0, 600_000),
    'Milliseconds that running requests and tasks get when the server is told to stop.',
    '停止服务时留给进行中请求和任务的毫秒数。',
  ),
  logLevel: setting(
    'LOG_LEVEL',
    'info',
    oneOf(logLevels),
    'Lowest level that is logged: debug, info, warn, error or silent.',
    '记录的最低日志级别：debug、info、warn、error 或 silent。',
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** All settings, in the units that their names say. */
export type Config = { readonly [K in keyof typeof settings]: ReturnType<(typeof settings)[K]['parse']> };

/** What is wrong with the settings: every problem, one sentence each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads every setting from `env`. Pure. `isForOneEngine`: false where settings that say nothing beside the chosen engine are no mistake.
 * @throws ConfigError with all problems together, each as `NAME: expected …, got "…"`.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  { isForOneEngine = true }: { readonly isForOneEngine?: boolean } = {},
): Config {
  const problems: string[] = [];
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, entry]) => {
      const given = env[entry.name];
      try {
        return [key, entry.parse(given === undefined || given === '' ? entry.fallback : given)];
      } catch (error) {
        const got = entry.secret !== undefined ? '' : `, got ${JSON.stringify(given)}`;
        problems.push(`${entry.name}: expected ${(error as Error).message}${got}`);
        return [key, undefined];
      }
    }),
  ) as Config;
  if (problems.length === 0)
    problems.push(
      ...webhookProblems(config),
      ...loginProblems(config),
      ...filesProblems(config),
      ...(isForOneEngine ? pointlessSettings(config, env) : []),
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** What the settings for logging in lack when they are looked at together. */
function loginProblems(config: Config): string[] {
  const { loginHeader, trustedProxies, oidcIssuer, oidcClientId, users } = config;
  const problems: string[] = [];
  if (loginHeader !== '' && trustedProxies.length === 0)
    problems.push('TRUST_PROXY: expected the address of the proxy that sends LOGIN_HEADER; it is trusted from no other address');
  if (oidcIssuer !== '' && oidcClientId === '') problems.push('OIDC_CLIENT_ID: expected a value, since OIDC_ISSUER is set');
  if (oidcIssuer.startsWith('http:') && !isLoopbackHost(new URL(oidcIssuer).host))
    problems.push('OIDC_ISSUER: expected https, since an unencrypted connection cannot be trusted');
  if ((loginHeader !== '' || oidcIssuer !== '') && users.length === 0)
    problems.push('LOGIN_USERS: expected who may log in, since LOGIN_HEADER or OIDC_ISSUER is set, such as *:read');
  return problems;
}

/** What the settings for object storage lack when they are looked at together. */
function filesProblems({ filesUrl, awsAccessKeyId, awsSecretAccessKey }: Config): string[] {
  if (filesUrl === null) return [];
  return Object.entries({ AWS_ACCESS_KEY_ID: awsAccessKeyId, AWS_SECRET_ACCESS_KEY: awsSecretAccessKey })
    .filter(([, value]) => value === '')
    .map(([name]) => `${name}: expected a value, since FILES_URL is set`);
}

/** What the webhook settings lack when they are looked at together. */
function webhookProblems({ webhookHosts: hosts, webhookNetworks, webhookSecrets, webhookUrl }: Config): string[] {
  if (hosts.length > 0 && webhookSecrets.length === 0)
    return ['WEBHOOK_SECRET: expected a secret, since WEBHOOK_ALLOWED_HOSTS is set; "rag-intake webhooks secret" creates one'];
  if (webhookUrl === '') return [];
  try {
    createTargets({ hosts, networks: webhookNetworks }).check(webhookUrl);
    return [];
  } catch (error) {
    return [`WEBHOOK_URL: ${(error as Error).message.replace('callback_url: ', '')}, got ${JSON.stringify(webhookUrl)}`];
  }
}

/** Settings that somebody took the trouble to set and that mean nothing where everything is kept. */
function pointlessSettings(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.values<Setting<unknown>>(settings).flatMap(({ name, pointless }) => {
    const why = (env[name] ?? '') === '' ? null : (pointless?.(config) ?? null);
    return why === null ? [] : [`${name}: ${why}`];
  });
}

export type SettingRow = { readonly name: string; readonly fallback: string; readonly en: string; readonly zh: string };

/** The settings as documentation shows them. */
export function settingsTable(): readonly SettingRow[] {
  return Object.values<Setting<unknown>>(settings).map(({ name, fallback, fallbackShown, en, zh }) => ({
    name,
    fallback: fallbackShown ?? fallback,
    en,
    zh,
  }));
}

/** Name and value of every setting, secrets hidden, for `--check-config` and the log. */
export function describeConfig(config: Config): Record<string, unknown> {
  const rows = Object.entries<Setting<unknown>>(settings).map(([key, entry]) => {
    const value = config[key as keyof Config] as unknown;
    if (entry.secret !== undefined && value !== '') return [entry.name, '(hidden)'];
    return [entry.name, typeof value === 'string' ? createRedaction(secretsOfAddress(value))(value) : value];
  });
  return Object.fromEntries(rows) as Record<string, unknown>;
}

/** Every secret among these settings, whether they can be used or not, for `createRedaction`. Pure. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const set = Object.values<Setting<unknown>>(settings).flatMap(({ name, secret = secretsOfAddress }) => secret(env[name] ?? ''));
  return [...set, ...outsideSecrets.map((name) => env[name] ?? '')].filter((secret) => secret !== '');
}

/** Of the command, and of libpq, which the database's driver asks for a password that is not in the address. */
const outsideSecrets = ['RAG_INTAKE_KEY', 'PGPASSWORD'];

function allOfIt(text: string): readonly string[] {
  return [text.trim()];
}

function secretsOfList(text: string): readonly string[] {
  return list()(text).flatMap((entry) => [entry, entry.replace(/^whsec_/, '')]);
}

/** `name:scope:key`, `name:scope:sha256:…`, or a key alone. */
function secretsOfKeys(text: string): readonly string[] {
  return list()(text).map((entry) =>
    entry.includes(':')
      ? entry
          .split(':')
          .slice(2)
          .join(':')
          .replace(/^sha256:/, '')
      : entry,
  );
}

/** The password, and in the query what may be one; of anything but an address nothing. */
function secretsOfAddress(given: string): readonly string[] {
  const text = withFirstHost(given.trim());
  if (!URL.canParse(text)) return /:\/\/[^/]*@/.test(text) ? [given.trim()] : [];
  const { password, searchParams } = new URL(text);
  const named = [...searchParams].filter(([name]) => /pass|key|token|secret|sig/i.test(name) && !/^sslkey$/i.test(name));
  return [password, decodedOrSame(password), ...named.map(([, value]) => value)];
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function setting<T>(name: string, fallback: string, parse: (text: string) => T, en: string, zh: string): Setting<T> {
  return { name, fallback, parse, en, zh };
}

/** Also a language of Tesseract that is not installed yet. */
function ocrLanguageNames(value: string): string {
  const names = value.trim();
  if (names !== '' && !/^[\w/-]+(?:\+[\w/-]+)*$/.test(names)) throw new Error('languages joined by +, such as eng+chi_sim, or off');
  return names;
}

function text(): (value: string) => string {
  return (value) => value.trim();
}

/** Separated by commas or blanks. */
function list(): (value: string) => readonly string[] {
  return (value) => value.split(/[\s,]+/).filter((entry) => entry !== '');
}

/** As browsers send them: scheme, host and port, nothing more. */
function origins(): (value: string) => readonly string[] {
  return (value) => {
    const entries = list()(value);
    if (entries.some((entry) => !URL.canParse(entry) || new URL(entry).origin !== entry))
      throw new Error('origins like https://app.example.com');
    return entries;
  };
}

/** An address of one of these schemes; '' for none. */
function address(schemes: readonly string[], example: string): (value: string) => string {
  return (value) => {
    const given = value.trim();
    if (given !== '' && !(URL.canParse(given) && schemes.includes(new URL(given).protocol)))
      throw new Error(`an address like ${example}`);
    return given;
  };
}

/** Of one server or of several; '' for none. */
function databaseAddress(): (value: string) => string {
  return (value) => {
    const given = value.trim();
    if (given !== '') parseDatabaseUrl(given);
    return given;
  };
}

/** Addresses and CIDR ranges. */
function networks(): (value: string) => readonly string[] {
  return (value) => {
    const entries = list()(value);
    try {
      trustProxies(entries);
    } catch {
      throw new Error('addresses like 127.0.0.1 or networks like 10.0.0.0/8');
    }
    return entries;
  };
}

/** In lower case, as Node has them; '' for none. */
function headerName(): (value: string) => string {
  return (value) => {
    const name = value.trim().toLowerCase();
    if (name !== '' && !/^[a-z0-9-]{1,64}$/.test(name)) throw new Error('the name of a header, like X-Forwarded-User');
    if (['authorization', 'cookie', 'host', 'x-api-key'].includes(name))
      throw new Error('a header of its own, like X-Forwarded-User');
    return name;
  };
}

/** `HH:MM`. */
function timeOfDay(): (value: string) => string {
  return (value) => {
    if (!/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(value.trim())) throw new Error('a time of day like 02:30');
    return value.trim();
  };
}

/** Without a final slash; '' for none. */
function pathPrefix(): (value: string) => string {
  return (value) => {
    const prefix = value.trim().replace(/\/+$/, '');
    if (!/^(?:\/[A-Za-z0-9._~-]+)*$/.test(prefix)) throw new Error('a path like /rag');
    return prefix;
  };
}

function orNull<T>(parse: (value: string) => T): (value: string) => T | null {
  return (value) => (value === '' ? null : parse(value));
}

/** @throws Error as `createTargets`. */
function targetHosts(): (value: string) => readonly string[] {
  return (value) => {
    const hosts = list()(value);
    createTargets({ hosts, networks: [] });
    return hosts;
  };
}

function targetNetworks(): (value: string) => readonly string[] {
  return (value) => {
    const listed = list()(value);
    createTargets({ hosts: [], networks: listed });
    return listed;
  };
}

function onOff(): (value: string) => boolean {
  return (value) => oneOf(['on', 'off'])(value) === 'on';
}

function number(min: number, max: number): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (!Number.isFinite(parsed) || parsed < min || parsed > max) throw new Error(`a number from ${min} to ${max}`);
    return parsed;
  };
}

function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (!Number.isSafeInteger(parsed) || parsed < min || parsed > max) throw new Error(`a whole number from ${min} to ${max}`);
    return parsed;
  };
}

function bytes(): (value: string) => number {
  return integer(1, 4 * 1024 * MiB);
}

function oneOf<const T extends string>(values: readonly T[]): (value: string) => T {
  return (value) => {
    if (!values.includes(value as T)) throw new Error(`one of ${values.join(', ')}`);
    return value as T;
  };
}
