/**
 * Problems in Chinese, for who asks so (`Accept-Language`): the one table. A sentence that is not in it, since it tells of a document or
 * comes from elsewhere, is put behind what its code means. `test/http/wire/chinese.test.ts` holds the table against the sources.
 */
import type { Context } from 'koa';
import type { RequestErrorCode } from '../../errors.ts';
import { documentSentences } from './chinese-documents.ts';
import type { Problem } from './problem.ts';

const titles: Readonly<Record<RequestErrorCode, string>> = {
  bad_request: '请求格式有误',
  invalid_request: '请求参数有误',
  invalid_document: '文档无法接收',
  unsupported_media_type: '不支持的内容类型',
  unauthorized: '未登录或密钥无效',
  forbidden: '没有权限',
  not_found: '不存在',
  method_not_allowed: '不支持的方法',
  request_timeout: '请求超时',
  conflict: '与当前状态冲突',
  not_cancellable: '任务无法取消',
  gone: '已不再保存',
  precondition_failed: '前提条件不成立',
  body_too_large: '请求体太大',
  expectation_failed: '无法满足 Expect',
  range_not_satisfiable: '没有所要求的部分',
  misdirected: '主机名不对',
  headers_too_large: '请求头太大',
  rate_limited: '请求太多',
  quota_exceeded: '配额已用完',
  unknown_method: '未知的方法',
  unknown_transfer_coding: '未知的传输编码',
  queue_full: '队列已满',
  unavailable: '服务暂时不可用',
  insufficient_storage: '存储空间不足',
  internal: '内部错误',
};

/** What alone may fill a gap that is `{word}` in Chinese. */
const words: Readonly<Record<string, string>> = {
  parameter: '参数',
  field: '字段',
  'form field': '表单字段',
  'Parsing the document': '解析文档',
  'Chunking and embedding the document': '文档的分块和向量化',
  'One page': '读取一页',
  Reading: '读取文档',
  'Chunking and embedding': '分块和向量化',
  argument: '参数',
  type: '类型',
  key: '键',
  'member of a filter': '筛选条件成员',
  file: '文件',
  attachment: '附件',
  'attached file': '附件',
  'embedded file': '嵌入的文件',
  'inserted file': '插入的文件',
  message: '邮件',
  'at least': '不少于',
  'at most': '不超过',
  'more than': '多于',
  'less than': '少于',
  'a string': '字符串',
  'a number': '数字',
  'a whole number': '整数',
  'true or false': 'true 或 false',
  'an array': '数组',
  'an object': '对象',
};

/** `{}` stands for what differs from one time to the next, in the same order in both; `{word}` in Chinese for one of `words`. */
export const sentences: Readonly<Record<string, string>> = {
  "The filename* of Content-Disposition is malformed; write it as UTF-8''name, percent-encoded.":
    "Content-Disposition 的 filename* 格式有误；应写作 UTF-8''文件名，并做百分号编码。",
  'The name {} appears twice in one JSON object.': '同一个 JSON 对象中名称 {} 出现了两次。',
  'Content-Range: a part of a file cannot be uploaded; send the whole file.':
    'Content-Range：不能只上传文件的一部分，请发送整个文件。',
  'A request must have exactly one Host header.': '一个请求必须有且只有一个 Host 请求头。',
  'An Idempotency-Key must have 1 to 255 printable ASCII characters.': 'Idempotency-Key 须为 1 到 255 个可打印 ASCII 字符。',
  'Send the digest of the body in a header, not in a trailer.': '请在请求头中发送请求体的摘要，不要放在尾部（trailer）。',
  'The address names another host than the Host header does.': '地址中的主机与 Host 请求头不一致。',
  'The address of the resource is not valid percent-encoded UTF-8.': '资源地址不是有效的百分号编码 UTF-8。',
  'The body is not UTF-8, as JSON must be.': '请求体不是 UTF-8，而 JSON 必须是。',
  'The body is not a JSON object.': '请求体不是 JSON 对象。',
  'The body is not valid JSON.': '请求体不是有效的 JSON。',
  'The line is not UTF-8, as JSON must be.': '这一行不是 UTF-8，而 JSON 必须是。',
  'The path is not valid percent-encoded UTF-8.': '路径不是有效的百分号编码 UTF-8。',
  'The query is not valid percent-encoded UTF-8.': '查询串不是有效的百分号编码 UTF-8。',
  'The upload was interrupted, or is malformed.': '上传中断，或格式不正确。',
  'The address of this request is not valid.': '请求地址无效。',
  'X-Filename is not valid percent-encoded UTF-8.': 'X-Filename 不是有效的百分号编码 UTF-8。',
  '{} is malformed; write Content-Digest: sha-256=:…: (RFC 9530).': '{} 格式有误；应写作 Content-Digest: sha-256=:…:（RFC 9530）。',
  '{}: only sha-256 and sha-512 are supported.': '{}：只支持 sha-256 和 sha-512。',
  'The Content-Type must have a boundary of 1 to {} characters; let your HTTP library set this header.':
    'Content-Type 须带有 1 到 {} 个字符的 boundary；请让 HTTP 库来设置此请求头。',
  'The JSON is nested deeper than {} levels.': 'JSON 嵌套超过 {} 层。',
  'The body does not match {}.': '请求体与 {} 不符。',
  'The body is incomplete, or is not {} as its Content-Encoding says.': '请求体不完整，或并非 Content-Encoding 所说的 {}。',
  'The form field {} is not UTF-8.': '表单字段 {} 不是 UTF-8。',
  'The name {} is not allowed for a member of JSON; use another name.': 'JSON 成员不能命名为 {}，请换一个名称。',
  'The method must be in the request line; {} is not supported.': '方法须写在请求行中；不支持 {}。',
  'The multipart body is malformed: {}.': 'multipart 请求体格式有误：{}。',
  'The body has more than its {} data.': '请求体中在 {} 数据之外还有别的内容。',
  'collection: {} is not the name of a collection': 'collection：{} 不是集合名称',
  'A field of the form is larger than {} bytes.': '表单中有字段超过 {} 字节。',
  'The body is larger than {} bytes.': '请求体超过 {} 字节。',
  'The line is longer than {} bytes; upload this file with PUT /documents/{doc_id}.':
    '这一行超过 {} 字节；请用 PUT /documents/{doc_id} 上传此文件。',
  'The line is empty.': '这一行是空的。',
  'The file is larger than {} bytes; upload it with PUT /documents/{doc_id}.':
    '文件超过 {} 字节；请用 PUT /documents/{doc_id} 上传。',
  'The file is encrypted; create the archive without a password.': '此文件已加密；请不设密码重新打包。',
  'The file is compressed by a method that is not supported; use Deflate, the usual one.':
    '不支持此文件的压缩方法；请用常见的 Deflate。',
  'The file is damaged: its checksum does not match.': '文件已损坏：校验和不符。',
  'The archive does not say where {} ends, so nothing after it can be read; create the archive with sizes in the file headers.':
    '压缩包没有写明 {} 在何处结束，其后的内容都无法读取；请重新打包，在每个文件头中写明大小。',
  'The archive is incomplete.': '压缩包不完整。',
  'The body is not a ZIP archive.': '请求体不是 ZIP 压缩包。',
  'The archive is damaged: a file header is missing.': '压缩包已损坏：缺少文件头。',
  'A collection of this name is being deleted; try again in a moment.': '同名的集合正在删除，请稍后再试。',
  'A request with this Idempotency-Key is still in progress; try again in a moment.':
    '带此 Idempotency-Key 的请求仍在处理，请稍后再试。',
  'Another upload of this document is in progress; try again when it has finished.':
    '此文档的另一次上传正在进行，请待其结束后再试。',
  'Only a failed task can be retried.': '只能重试失败的任务。',
  'The collection `default` always exists; delete its documents instead.': '集合 `default` 始终存在；请改为删除其中的文档。',
  'The file is still being read, or could not be read; it has no content.': '文件仍在读取，或无法读取；没有内容。',
  'Expect: only 100-continue is supported.': 'Expect：只支持 100-continue。',
  'Requests that change something must come from this server’s own page.': '会更改数据的请求必须来自本服务器自己的网页。',
  'Your login was confirmed, but LOGIN_USERS gives you no access. Ask an administrator.':
    '您的登录已确认，但 LOGIN_USERS 没有给您访问权限。请联系管理员。',
  'This API key is bound to collections and cannot create new ones; use those as vector stores.':
    '此 API 密钥绑定了集合，不能新建集合；请把已绑定的集合用作 vector store。',
  'This API key does not allow this: the scope {} is required.': '此 API 密钥不允许此操作：需要 {} 权限。',
  'The file of this task is no longer stored; upload it again.': '此任务的文件已不再保存，请重新上传。',
  'The headers of a part are larger than {} bytes.': '某一部分的头超过 {} 字节。',
  'Not enough space on the server. Try again later, or ask an administrator.': '服务器空间不足。请稍后再试，或联系管理员。',
  'Something went wrong on the server; its log has the details under this request id.': '服务器出错；日志中有此请求编号的详情。',
  'The stored text or file of this document is damaged; upload it again.': '此文档保存的文本或文件已损坏，请重新上传。',
  'File too large': '文件太大',
  'Empty file: {}': '空文件：{}',
  'File too large: {}': '文件太大：{}',
  'Give either text or content_base64, but not both.': 'text 与 content_base64 须给出且只能给出其一。',
  'Idempotency-Key is not supported here; send the request without it.': '此地址不支持 Idempotency-Key；请去掉后再发送。',
  'This Idempotency-Key was used for another upload; use a new one.': '此 Idempotency-Key 已用于另一次上传，请换一个。',
  'Unknown {} `{}`; none is accepted here.': '未知的{word} `{}`；此地址不接受任何名称。',
  'Unknown {} `{}`; did you mean `{}`?': '未知的{word} `{}`；是否指 `{}`？',
  'Unknown {} `{}`; did you mean `{}`? Accepted here: {}.': '未知的{word} `{}`；是否指 `{}`？可用的有：{}。',
  'Unknown form field `doc_id`: put it into the address, as in POST /insert?doc_id=handbook.':
    '未知的表单字段 `doc_id`：请写在地址中，例如 POST /insert?doc_id=handbook。',
  'callback_url: webhooks are off on this server': 'callback_url：本服务器未启用 webhook',
  'collection: cannot be combined with collections; list all names in collections':
    'collection：不能与 collections 同时使用，请全部写在 collections 中',
  'collections: ["*"] covers {} collections, but one search covers at most {}; list the ones to search':
    'collections：["*"] 共有 {} 个集合，而一次搜索最多 {} 个；请列出要搜索的集合',
  'cursor: not from this server': 'cursor：不是本服务器给出的',
  'cursor: not from this server, or from a list in another order': 'cursor：不是本服务器给出的，或属于另一种排序',
  'cursor: the document has been replaced; start again without a cursor': 'cursor：文档已被替换，请不带 cursor 重新开始',
  'filename: differs from the name in Content-Disposition; give only one of them':
    'filename：与 Content-Disposition 中的文件名不同，请只写一处',
  'filename: has no characters that are allowed in the name of a file': 'filename：不含可用于文件名的字符',
  'query: must have something to search for': 'query：须有要搜索的内容',
  '{}: {} returns all chunks; remove this parameter': '{}：{} 返回全部分块，请去掉此参数',
  '{} {} takes no body; put parameters into the address.': '{} {} 不接受请求体；请把参数写在地址中。',
  '{}: a password may have at most {} characters': '{}：密码最多 {} 个字符',
  '{}: is given more than once': '{}：只能给出一次',
  'One request may have at most {} documents; send the rest in another request.':
    '一个请求最多 {} 个文档，其余请在另一个请求中发送。',
  'Send exactly one file, in a part named `{}`; this form has more.':
    '请只发送一个文件，放在名为 `{}` 的部分中；此表单中不止一个。',
  'Send the file in a part named `{}`, not `{}`.': '文件须放在名为 `{}` 的部分中，而不是 `{}`。',
  'The form has more than {} fields.': '表单超过 {} 个字段。',
  'The form has more than {} parts.': '表单超过 {} 个部分。',
  'The form has no part named `{}` with a file in it. {}': '表单中没有名为 `{}` 且带文件的部分。{}',
  'The part `file` has no file name, so it is not a file. {}': '名为 `file` 的部分没有文件名，不是文件。{}',
  'confirm: must be the name of the collection, as in ?confirm={}; everything in it will be deleted':
    'confirm：须为集合的名称，例如 ?confirm={}；其中的所有内容都将被删除',
  'is not valid as JSON: {}': '不是有效的 JSON：{}',
  'Key not found': '密钥不存在',
  'This key is set in API_KEYS; remove it there.': '此密钥设置在 API_KEYS 中，请在那里移除。',
  'Nobody could manage the keys any more: first create a key with the scope admin for all collections.':
    '这样将无人能管理密钥：请先创建一个权限为 admin 且可访问所有集合的密钥。',
  'collections: choose from those that your own key can access': 'collections：请从您自己的密钥可访问的集合中选择',
  'This server has no key file: set API_KEYS_FILE, or change API_KEYS and restart the server.':
    '本服务器没有密钥文件：请设置 API_KEYS_FILE，或修改 API_KEYS 后重新启动。',
  'name: a key with this name already exists; choose another name, or revoke that key first':
    'name：已有同名密钥，请换一个名称，或先撤销原有密钥',
  'The key file was changed, but the server cannot use it as it is now; ask an administrator.':
    '密钥文件已更改，但本服务器目前无法使用该文件，请联系管理员。',
  'The API key of this request is no longer valid.': '此请求的 API 密钥已失效。',
  'The server cannot read or write the key file; ask an administrator.': '服务器无法读写密钥文件，请联系管理员。',
  'metadata: {}': 'metadata：有误：{}',
  'callback_url: {}': 'callback_url：有误：{}',
  'Delivery not found': '投递记录不存在',
  'metadata_condition: {} compares with a number; the value must be a number': 'metadata_condition：{} 与数字比较，值须为数字',
  'settings.chunk_overlap: must be at most half of a chunk ({} tokens)': 'settings.chunk_overlap：最多为分块的一半（{} 个词元）',
  '{} is not supported here; use {}.': '这里不支持 {}；请用 {}。',
  'This server does not accept this host name. An administrator can add it to ALLOWED_HOSTS.':
    '本服务器不接受此主机名。管理员可将其加入 ALLOWED_HOSTS。',
  'Cannot cancel task in {} status': '任务处于 {} 状态，无法取消',
  'Collection not found': '集合不存在',
  'Document not found': '文档不存在',
  'This server has no API keys; no login is needed.': '本服务器没有设置 API 密钥，无需登录。',
  'Task not found': '任务不存在',
  'There is nothing at this address.': '此地址没有内容。',
  "No file '{}' found in vector store '{}'.": 'vector store 中没有此文件：文件“{}”，vector store“{}”。',
  'No such File object: {}': '文件不存在：{}',
  "Vector store '{}' not found.": 'vector store“{}”不存在。',
  'This version is no longer the current one (If-Match, If-Unmodified-Since).':
    '此版本已不是当前版本（If-Match、If-Unmodified-Since）。',
  'This address has no versions; remove If-Match and If-None-Match.': '此地址没有版本；请去掉 If-Match 和 If-None-Match。',
  'This version already exists (If-None-Match).': '此版本已存在（If-None-Match）。',
  'Too many requests of this kind are waiting; try again in a moment.': '此类请求等待太多，请稍后再试。',
  'The queue is full: {} documents are waiting. Try again later.': '队列已满：有 {} 个文档在等待，请稍后再试。',
  'The quota of this key is used up for today: {} {} per day. It resets at 00:00 UTC.':
    '此密钥今天的配额已用完：每天 {} {}。配额在 00:00 UTC 重置。',
  'The requested range does not exist: the file has {} bytes.': '请求的范围不存在：文件共 {} 字节。',
  'Too many MCP requests at once; try again in a moment.': '同时进行的 MCP 请求太多，请稍后再试。',
  'Too many event streams are open; close some, or try again later.': '打开的事件流太多，请关闭一些，或稍后再试。',
  'Too many requests; slow down.': '请求太频繁，请放慢。',
  'Too many uploads at once; try again in a moment.': '同时进行的上传太多，请稍后再试。',
  'Too many failed logins; try again later.': '登录失败次数太多，请稍后再试。',
  'The login provider refused the login.': '登录提供方拒绝了登录。',
  'The login provider has not verified your email address.': '登录提供方尚未验证您的邮箱。',
  'This API key is not valid.': '此 API 密钥无效。',
  'The response of the login provider could not be verified. Log in again.': '无法核实登录提供方的响应。请重新登录。',
  'The login provider did not send your {}. Ask an administrator to check OIDC_CLAIM.':
    '登录提供方没有提供您的 {}。请管理员检查 OIDC_CLAIM。',
  'FILES_URL: this is not the bucket with the files of this database.': 'FILES_URL：此存储桶不是存放该数据库文件的存储桶。',
  'FILES_URL: the object store refuses requests.': 'FILES_URL：对象存储拒绝了请求。',
  'FILES_URL: the object store cannot be used now.': 'FILES_URL：对象存储目前无法使用。',
  'The file store cannot be used now.': '文件存储目前无法使用。',
  'FILES_URL: the files of this database are in an object store; set its address.':
    'FILES_URL：该数据库的文件存放在对象存储中，请设置其地址。',
  'DATABASE_URL: connections of the pooler do not find the tables. Run "rag-intake migrate" with DATABASE_DIRECT_URL set, then RECONNECT in PgBouncer.':
    'DATABASE_URL：连接池的连接找不到表。请设置 DATABASE_DIRECT_URL 后运行 "rag-intake migrate"，再在 PgBouncer 中执行 RECONNECT。',
  'DATABASE_URL: the database cannot be reached.': 'DATABASE_URL：无法连接数据库。',
  'No chat service is configured (ANSWER_URL).': '未配置对话服务（ANSWER_URL）。',
  'QUEUE_URL: Redis cannot be reached': 'QUEUE_URL：无法连接 Redis',
  'RAG service is not ready.': '服务尚未就绪。',
  'The chat service sent something that is not JSON.': '对话服务的响应不是 JSON。',
  'The chat service sent a line that is too long.': '对话服务发来的一行过长。',
  'The client has disconnected.': '客户端已断开。',
  'The collection is still being deleted; try again in a moment.': '集合仍在删除，请稍后再试。',
  'The embedder did not answer.': '向量服务没有响应。',
  'The file is still being read; try again in a moment.': '文件仍在读取，请稍后再试。',
  'The index could not be rebuilt from the stored documents.': '无法用已存文档重建索引。',
  'Indexing of this document was interrupted; try again in a moment.': '此文档的索引被中断，请稍后再试。',
  'The index is being rebuilt; try again in a moment.': '索引正在重建，请稍后再试。',
  'The index was made by a newer version of this program; start that version.': '索引由更新版本的程序生成；请启动该版本。',
  'The index is being replaced; try again in a moment.': '索引正在更换，请稍后再试。',
  'The worker process is not running, or has ended; send the file again in a moment.':
    '工作进程没有运行，或已结束；请稍后重新发送文件。',
  'The quota of this key cannot be checked at the moment; try again later.': '目前无法核对此密钥的配额，请稍后再试。',
  'The server is stopping.': '服务器正在停止。',
  'This server runs without a worker process (--role api) and cannot read files immediately; upload the file instead.':
    '本服务器没有工作进程（--role api），无法即时读取文件；请改为上传。',
  'Too many requests are waiting for the database; try again in a moment.': '等待数据库的请求太多，请稍后再试。',
  'DATABASE_URL: the database cannot be used: {}. Run "rag-intake migrate".':
    'DATABASE_URL：数据库无法使用：{}。请运行 "rag-intake migrate"。',
  'DATABASE_URL: the database has tables of version {}; this program supports {}.':
    'DATABASE_URL：数据库中的表是版本 {}，本程序支持到 {}。',
  'DATABASE_URL: this PostgreSQL has version {}; at least {} is required.': 'DATABASE_URL：PostgreSQL 版本为 {}，至少需要 {}。',
  'DATA_DIR: {} cannot be read': 'DATA_DIR：无法读取 {}',
  'DATA_DIR: the index in {} cannot be opened': 'DATA_DIR：无法打开 {} 中的索引',
  'QUEUE_URL: this Redis cannot be used: {}': 'QUEUE_URL：此 Redis 无法使用：{}',
  'Servers are using this database ({} processes): stop them, then migrate.':
    '仍有服务器在使用此数据库（{} 个进程）：请先停止，再迁移。',
  'SEARCHER: this database uses a searcher of a newer version of this program; start that version.':
    'SEARCHER：此数据库使用更新版本程序的检索引擎；请启动该版本。',
  'SEARCHER: this database uses {}, not {}. Run "rag-intake migrate".':
    'SEARCHER：此数据库使用 {}，而不是 {}。请运行 "rag-intake migrate"。',
  'SEARCHER: {} searches by keyword only, but documents here have vectors. Run "rag-intake reindex" with EMBEDDER=builtin first.':
    'SEARCHER：{} 只按关键词检索，而这里的文档已有向量。请先以 EMBEDDER=builtin 运行 "rag-intake reindex"。',
  'SEARCHER: this searcher searches by keyword only; remove EMBEDDER, or SEARCHER.':
    'SEARCHER：此检索引擎只按关键词检索；请去掉 EMBEDDER 或 SEARCHER。',
  'The chat service {}.': '对话服务：{}。',
  'cannot be reached': '无法连接',
  'did not answer within {} ms': '{} 毫秒内没有响应',
  'servers of another version are using it ({}): stop them, then start this one':
    '另一版本的服务器正在使用它（{}）：请先停止，再启动此版本',
  'The chat service answered with HTTP status {}.': '对话服务返回 HTTP 状态 {}。',
  'The data directory cannot be used: {}': '数据目录无法使用：{}',
  'Transfer-Encoding: only chunked is supported; compress with Content-Encoding.':
    'Transfer-Encoding：只支持 chunked；压缩请用 Content-Encoding。',
  'Content-Encoding: only gzip, deflate, br and zstd are supported, one at a time.':
    'Content-Encoding：只支持 gzip、deflate、br、zstd，一次一种。',
  'Send NDJSON, one JSON object per line, as application/x-ndjson, or a ZIP archive as application/zip.':
    '请以 application/x-ndjson 发送 NDJSON（每行一个 JSON 对象），或以 application/zip 发送 ZIP 压缩包。',
  'Send the file as multipart/form-data in a part named `file` (curl -F file=@report.pdf), or as the body itself to PUT /documents/{doc_id} (curl -T report.pdf); send text as a file, too.':
    '请以 multipart/form-data 发送文件，放在名为 `file` 的部分中（curl -F file=@report.pdf），或作为请求体发送到 PUT /documents/{doc_id}（curl -T report.pdf）；文本也请作为文件发送。',
  'Send parts as they are, without a Content-Transfer-Encoding (RFC 7578 §4.7).':
    '各部分请原样发送，不要用 Content-Transfer-Encoding（RFC 7578 §4.7）。',
  'Send the file itself as the body; multipart forms go to POST /insert.':
    '请把文件本身作为请求体；multipart 表单发送到 POST /insert。',
  'JSON must be UTF-8 (RFC 8259); the Content-Type names another charset.':
    'JSON 须为 UTF-8（RFC 8259）；Content-Type 写的是其他字符集。',
  'Send JSON, with the Content-Type {}.': '请发送 JSON，Content-Type 为 {}。',
  'Send an API key as Authorization: Bearer, or as X-API-Key.': '请用 Authorization: Bearer 或 X-API-Key 发送 API 密钥。',
  'This login took too long or was started in another browser. Log in again.':
    '登录用时太久，或是在另一个浏览器中开始的。请重新登录。',
  'The login provider (OIDC_ISSUER) did not respond as expected. Try again later, or log in with an API key.':
    '登录提供方（OIDC_ISSUER）没有正常响应。请稍后再试，或用 API 密钥登录。',
  ...documentSentences,
  // What a value must be, behind its name.
  'is missing': '缺少此项',
  'is given more than once': '只能给出一次',
  'must be {}': '须为{word}',
  'must be {} {}': '须{word} {}',
  'must have {} {} characters': '须有{word} {} 个字符',
  'must have {} {} members': '须有{word} {} 项',
  'must be a multiple of {}': '须为 {} 的倍数',
  'does not have the required form': '格式不符合要求',
  'has a name that is not allowed': '含有不允许的名称',
  'has a value that is not allowed': '含有不允许的值',
  'must be a time with a time zone, such as 2026-03-15T10:00:00Z': '须为带时区的时间，例如 2026-03-15T10:00:00Z',
  'must be a date, such as 2026-03-15': '须为日期，例如 2026-03-15',
  'must be an address, such as https://example.org/hook': '须为地址，例如 https://example.org/hook',
  'must be an id, such as 019b0e5a-7c1e-7000-8000-000000000000': '须为编号，例如 019b0e5a-7c1e-7000-8000-000000000000',
  'must be base64': '须为 base64',
  'must have 1 to {} characters': '须有 1 到 {} 个字符',
  'must not contain control characters': '不得含有控制字符',
  'must not be "." or "..", which no address can name': '不得为 "." 或 ".."，地址无法表示这两个名称',
  'must have 1 to 64 lower-case letters, digits, dashes or underscores': '须为 1 到 64 个小写字母、数字、连字符或下划线',
  'must have 1 to 64 letters, digits, dots, dashes or underscores': '须为 1 到 64 个字母、数字、点、连字符或下划线',
  'must be valid Unicode without NUL': '须为不含 NUL 的有效 Unicode',
  'must be valid Unicode without control characters': '须为不含控制字符的有效 Unicode',
  'must be valid Unicode': '须为有效的 Unicode',
  'may have at most 32 members': '最多 32 项',
  'must be a whole number from {} to {}': '须为 {} 到 {} 的整数',
  'must be a number from 0 to 1, such as 0.3': '须为 0 到 1 的数字，例如 0.3',
  'give either text or file_base64, but not both': 'text 与 file_base64 须给出且只能给出其一',
  'must have something to search for': '须有要搜索的内容',
  'must be names, or ["*"] alone': '须为名称，或只有 ["*"]',
  'must be two letters of ISO 639-1, such as en or zh': '须为 ISO 639-1 的两个字母，例如 en 或 zh',
  // Kinds of files that are known and not read.
  'Unsupported file format: {}{}': '不支持的文件格式：{}{}',
  'RAR archives are not supported: unpack it, pack its files as ZIP and upload that':
    '不支持 RAR 压缩包：请解压，把其中的文件打包成 ZIP 再上传',
  'Files packed by xz are not supported: unpack it and upload what is in it': '不支持 xz 压缩的文件：请解压后上传其中的文件',
  'Files packed by bzip2 are not supported: unpack it and upload what is in it': '不支持 bzip2 压缩的文件：请解压后上传其中的文件',
  'Files packed by Zstandard are not supported: unpack it and upload what is in it':
    '不支持 Zstandard 压缩的文件：请解压后上传其中的文件',
  'Cabinet archives are not supported: unpack it, pack its files as ZIP and upload that':
    '不支持 CAB 压缩包：请解压，把其中的文件打包成 ZIP 再上传',
  'Compiled HTML help is not supported: unpack it (7-Zip does), pack its pages as ZIP and upload that':
    '不支持 CHM 帮助文件：请解包（可用 7-Zip），把其中的网页打包成 ZIP 再上传',
  'Kindle books are not supported: convert it to EPUB and upload that': '不支持 Kindle 电子书：请转换为 EPUB 再上传',
  'Sound and video are not supported: upload a transcript or subtitles (.srt, .vtt)':
    '不支持音频和视频：请上传文字稿或字幕（.srt、.vtt）',
  'DWG drawings are not supported: print it as PDF and upload that': '不支持 DWG 图纸：请打印为 PDF 再上传',
  'SQLite databases are not supported: export the tables as CSV and upload those':
    '不支持 SQLite 数据库：请把其中的表导出为 CSV 再上传',
  'Microsoft Works files are not supported: save it as .docx and upload it again':
    '不支持 Microsoft Works 文件：请另存为 .docx 再上传',
  'Pages, Numbers and Keynote files are not supported: export it as PDF or in the format of Office (File, Export To) and upload that':
    '不支持 Pages、Numbers、Keynote 文件：请导出为 PDF 或 Office 格式（文件 > 导出为）再上传',
};

/** Longest first, so that what says most decides; those without a gap before those with one. */
const patterns = Object.entries(sentences)
  .toSorted(([a], [b]) => Number(a.includes('{}')) - Number(b.includes('{}')) || b.length - a.length)
  .map(([english, chinese]) => ({
    pattern: patternOf(english, chinese),
    chinese,
    /** What comes last may be a sentence itself. */
    endsInGap: /\{\}\.?$/.test(english),
  }));

function patternOf(english: string, chinese: string): RegExp {
  const gaps = chinese.match(/\{(?:word)?\}/g) ?? [];
  const [first, ...rest] = english.split('{}').map((part) => RegExp.escape(part));
  const word = `(${Object.keys(words).join('|')})`;
  return new RegExp(`^${first}${rest.map((part, at) => (gaps[at] === '{word}' ? word : '(.*)') + part).join('')}$`, 's');
}

/** The problem in the language that its reader prefers, which the answer's headers name. */
export function inLanguageOf(ctx: Context, english: Problem): Problem {
  const isChinese = prefersChinese(ctx.get('Accept-Language'));
  ctx.set('Content-Language', isChinese ? 'zh-CN' : 'en');
  ctx.vary('Accept-Language');
  return isChinese ? inChinese(english) : english;
}

/** The same problem for who reads Chinese. */
export function inChinese(problem: Problem): Problem {
  const title = titles[problem.code];
  const { reason, errors } = problem;
  // What is not in the table stands behind what its code means.
  const detail = sentenceInChinese(problem.detail) ?? `${title}（${ownWords(problem.detail)}）`;
  return {
    ...problem,
    title,
    detail,
    ...(typeof reason === 'string' ? { reason: sentenceInChinese(reason) ?? reason } : {}),
    ...(Array.isArray(errors) ? { errors: (errors as Complaint[]).map(complaintInChinese) } : {}),
  };
}

type Complaint = { readonly message: string };

function complaintInChinese<T extends Complaint>(complaint: T): T {
  return { ...complaint, message: sentenceInChinese(complaint.message) ?? complaint.message };
}

/** What is longer repeats something that a client has sent, and is not worth looking through. */
const sentenceCharactersMax = 1000;

/** Null for a sentence that is not in the table. */
export function sentenceInChinese(english: string): string | null {
  if (english.length > sentenceCharactersMax) return null;
  const own = ownWords(english);
  if (own !== english) {
    const said = sentenceInChinese(own);
    return said === null ? null : `${titles.invalid_document}：${said}`;
  }
  for (const { pattern, chinese, endsInGap } of patterns) {
    const found = pattern.exec(english)?.slice(1);
    if (found === undefined) continue;
    const gaps = found.map(
      (said, at) => (endsInGap && at === found.length - 1 ? sentenceInChinese(said) : null) ?? lastInChinese(said),
    );
    return chinese.replaceAll(/\{(?:word)?\}/g, (gap) => (gap === '{}' ? gaps.shift()! : words[gaps.shift()!]!));
  }
  return ofNamed(english);
}

/** What is wrong with a parameter or member, behind its name. */
function ofNamed(english: string): string | null {
  const [, name, said] = /^([\w.$-]+): (.+)$/s.exec(english) ?? [];
  const chinese = said === undefined ? null : sentenceInChinese(said);
  return chinese === null ? null : `${name}：${chinese}`;
}

/** Of a document's own fault without what stands before all of them. */
function ownWords(detail: string): string {
  return detail.startsWith('Invalid document: ') ? detail.slice('Invalid document: '.length) : detail;
}

/** What a sentence tells of may end in another of the table: `name.7z. 7z archives are …`. */
function lastInChinese(said: string): string {
  for (let at = said.indexOf('. '); at !== -1; at = said.indexOf('. ', at + 1)) {
    const last = said.slice(at + 2);
    if (Object.hasOwn(sentences, last)) return `${said.slice(0, at)}。${sentences[last]}`;
  }
  return said;
}

/** Whether `Accept-Language` prefers Chinese to English (RFC 9110 §12.5.4); nothing said is English. */
export function prefersChinese(acceptLanguage: string): boolean {
  const ranges = acceptLanguage.split(',').map((range) => {
    const [tag = '', ...parameters] = range
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const weight = parameters.map((parameter) => /^q=([01](?:\.\d{0,3})?)$/.exec(parameter)?.[1]).find((q) => q !== undefined);
    return { language: tag.split('-')[0]!, weight: weight === undefined ? 1 : Number(weight) };
  });
  const weightOf = (language: string): number =>
    Math.max(0, ...ranges.filter((range) => range.language === language).map(({ weight }) => weight));
  return weightOf('zh') > weightOf('en') || (weightOf('zh') > 0 && weightOf('zh') === weightOf('en') && isFirst(ranges, 'zh'));
}

function isFirst(ranges: readonly { readonly language: string }[], language: string): boolean {
  return ranges.find((range) => range.language === 'zh' || range.language === 'en')?.language === language;
}
