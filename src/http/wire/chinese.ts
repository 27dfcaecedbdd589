/**
 * Problems in Chinese, for who asks so (`Accept-Language`): the one table. A sentence that is not in it, since it tells of a document or
 * comes from elsewhere, is put behind what its code means. `test/http/wire/chinese.test.ts` holds the table against the sources.
 */
import type { RequestErrorCode } from '../../errors.ts';
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

/** `{}` stands for what differs from one time to the next, in the same order in both. */
export const sentences: Readonly<Record<string, string>> = {
  "The filename* of Content-Disposition is broken; it is written UTF-8''name, percent-encoded.":
    "Content-Disposition 的 filename* 有误；应写作 UTF-8''文件名，并做百分号编码。",
  'The name {} appears twice in one object; only one value of it can be meant.': '同一对象中名称 {} 重复；只能有一个值。',
  'A part of a file cannot be sent (Content-Range); send it whole.': '不能只发送文件的一部分（Content-Range），请整个发送。',
  'A request has exactly one Host.': '一个请求只能有一个 Host。',
  'An Idempotency-Key has 1 to 255 printable ASCII characters.': 'Idempotency-Key 须为 1 到 255 个可打印 ASCII 字符。',
  'Send the digest of the body before it, not in a trailer.': '请在请求体之前发送其摘要，不要放在尾部。',
  'The address names another host than Host does.': '地址中的主机与 Host 不一致。',
  'The address of the resource is not valid percent-encoded UTF-8.': '资源地址不是有效的百分号编码 UTF-8。',
  'The body is not UTF-8, as JSON must be.': '请求体不是 UTF-8，而 JSON 必须是。',
  'The body is not a JSON object.': '请求体不是 JSON 对象。',
  'The body is not valid JSON.': '请求体不是有效的 JSON。',
  'The line is not UTF-8, as JSON must be.': '这一行不是 UTF-8，而 JSON 必须是。',
  'The path is not valid percent-encoded UTF-8.': '路径不是有效的百分号编码 UTF-8。',
  'The query is not valid percent-encoded UTF-8.': '查询串不是有效的百分号编码 UTF-8。',
  'The upload was broken off, or is not well-formed.': '上传中断，或格式不正确。',
  'This is not the address of a request.': '这不是请求地址。',
  'X-Filename is not valid percent-encoded UTF-8.': 'X-Filename 不是有效的百分号编码 UTF-8。',
  '{} is malformed; write Content-Digest: sha-256=:…: (RFC 9530).': '{} 格式有误；应写作 Content-Digest: sha-256=:…:（RFC 9530）。',
  '{}: only sha-256 and sha-512 can be checked here.': '{}：这里只能核对 sha-256 和 sha-512。',
  'The Content-Type must name a boundary of 1 to {} characters; let your HTTP library write this header.':
    'Content-Type 须带有 1 到 {} 个字符的 boundary；请让 HTTP 库来写这个请求头。',
  'The JSON is nested deeper than {} levels.': 'JSON 嵌套超过 {} 层。',
  'The body is not the one that {} was made of.': '请求体与 {} 不符。',
  'The body is not whole, or is not {} as its Content-Encoding says.': '请求体不完整，或并非 Content-Encoding 所说的 {}。',
  'The form field {} is not UTF-8.': '表单字段 {} 不是 UTF-8。',
  'The name {} is taken for no member of JSON here; give it another one.': '这里的 JSON 不接受名为 {} 的成员，请换一个名称。',
  'The method is the one in the request line; {} is not obeyed.': '方法以请求行为准；{} 无效。',
  'The multipart body is not well-formed: {}.': 'multipart 请求体格式有误：{}。',
  'There is more in the body than its {} data.': '请求体中在 {} 数据之外还有别的内容。',
  'collection: {} is no name of one': 'collection：{} 不是集合的名称',
  'Too many requests wait for files to be read.': '等待读取文件的请求太多。',
  'A field of the form is larger than {} bytes.': '表单中有字段超过 {} 字节。',
  'The body is larger than {} bytes.': '请求体超过 {} 字节。',
  'The line is longer than {} bytes; send such a file to PUT /documents/{doc_id}.':
    '这一行超过 {} 字节；这样的文件请发送到 PUT /documents/{doc_id}。',
  'There is nothing on the line.': '这一行没有内容。',
  'The file is larger than {} bytes; send such a file to PUT /documents/{doc_id}.':
    '文件超过 {} 字节；这样的文件请发送到 PUT /documents/{doc_id}。',
  'The file is encrypted in the archive; pack it without a password.': '压缩包中的这个文件已加密；请不设密码打包。',
  'The file is packed by a method that is not read here; pack it by Deflate, as is usual.':
    '这里不支持此文件的压缩方法；请用常见的 Deflate 打包。',
  'The file is damaged: its checksum in the archive is of other bytes.': '文件已损坏：与压缩包中的校验和不符。',
  'Where {} ends in the archive cannot be told, so nothing after it can be read; make the archive with the sizes before each file.':
    '无法得知 {} 在压缩包中何处结束，其后的内容都无法读取；请重新打包，让每个文件的大小记录在其内容之前。',
  'The archive breaks off.': '压缩包不完整。',
  'The body is no ZIP archive.': '请求体不是 ZIP 压缩包。',
  'The archive is damaged: no file begins where one should.': '压缩包已损坏：该有文件的地方没有文件。',
  'A collection of this name is being removed; try again in a moment.': '同名的集合正在删除，请稍后再试。',
  'A request with this Idempotency-Key is still being answered.': '带此 Idempotency-Key 的请求仍在处理。',
  'Another upload of this document is being accepted.': '此文档的另一次上传正在接收。',
  'Only a failed task can be retried.': '只有失败的任务可以重试。',
  'The collection `default` always exists; delete its documents instead.': '集合 `default` 始终存在；请改为删除其中的文档。',
  'The file is still being read, or could not be; its content is not there.': '文件仍在读取，或无法读取；没有内容。',
  'Of what a client can expect only 100-continue is known here.': 'Expect 只支持 100-continue。',
  'Requests that change something must come from this server’s own page.': '修改类请求必须来自本服务器自己的网页。',
  'The login provider knows you, but LOGIN_USERS lets you in nowhere here.': '登录方认识您，但 LOGIN_USERS 没有允许您进入。',
  'This API key is bound to collections and makes none; use theirs as vector stores.':
    '此 API 密钥绑定了集合，不能新建；请把已绑定的集合用作 vector store。',
  'This API key may not do that: it needs the scope {}.': '此 API 密钥无权这样做：需要 {} 权限。',
  'The file of this task is no longer stored; upload it again.': '此任务的文件已不再保存，请重新上传。',
  'The headers of a part are larger than {} bytes.': '某一部分的头超过 {} 字节。',
  'Not enough space on the server. Try again later or ask its operator.': '服务器空间不足。请稍后再试，或联系管理员。',
  'Something went wrong here; the log has the details under this request id.': '服务器出错了；日志中有此请求编号的详情。',
  'The stored text or file of this document is damaged: upload it again.': '此文档保存的文本或文件已损坏，请重新上传。',
  'Invalid document: File too large': '文档无法接收：文件太大',
  'Invalid document: Empty file: {}': '文档无法接收：空文件：{}',
  'Invalid document: File too large: {}': '文档无法接收：文件太大：{}',
  'Give either text or content_base64, and not both.': 'text 与 content_base64 须给出且只能给出其一。',
  'No Idempotency-Key is kept for this route; send the request without one.': '此地址不支持 Idempotency-Key，请去掉后再发送。',
  'This Idempotency-Key was used for another upload; take a new one.': '此 Idempotency-Key 已用于另一次上传，请换一个。',
  'Unknown form field `doc_id`: the document is named in the address, as in POST /insert?doc_id=handbook.':
    '未知的表单字段 `doc_id`：文档名写在地址中，例如 POST /insert?doc_id=handbook。',
  'callback_url: webhooks are off on this server': 'callback_url：本服务器未开启 webhook',
  'collection: is given beside collections; name all of them in one.': 'collection：不能与 collections 同时给出，请写在一起。',
  'collections: ["*"] would be {} collections, and one search looks into {} at most; name those that matter.':
    'collections：["*"] 共有 {} 个集合，一次搜索最多 {} 个；请写出需要的那些。',
  'cursor: not one of ours': 'cursor：不是本服务器给出的',
  'cursor: not one of ours, or of a list in another order': 'cursor：不是本服务器给出的，或属于另一种排序',
  'cursor: the document was replaced since; begin again without a cursor': 'cursor：文档已被替换，请不带 cursor 重新开始',
  'filename: Content-Disposition names the file otherwise; name it once.':
    'filename：与 Content-Disposition 中的文件名不同，请只写一处。',
  'filename: nothing is left of it as the name of a file': 'filename：去掉不能用的字符后什么也不剩',
  'query must hold something to look for': 'query 中须有要查找的内容',
  '{}: {} is all chunks; leave it out': '{}：{} 就是全部分块，请去掉',
  '{} {} takes no body; what it can be told goes into the address.': '{} {} 不接受请求体；参数写在地址中。',
  '{}: a password has {} characters at most': '{}：密码最多 {} 个字符',
  '{}: is given more than once': '{}：给出了不止一次',
  'One request takes {} documents; send the rest in another.': '一个请求最多 {} 份文档，其余请另发。',
  'Send exactly one file, in a part named `{}`; this form has two.': '请只发送一个文件，放在名为 `{}` 的部分中；此表单有两个。',
  'Send the file in a part named `{}`, not `{}`.': '文件须放在名为 `{}` 的部分中，而不是 `{}`。',
  'The form has more than {} fields.': '表单超过 {} 个字段。',
  'The form has more than {} parts.': '表单超过 {} 个部分。',
  'The form has no part named `{}` with a file in it. {}': '表单中没有名为 `{}` 且带文件的部分。{}',
  'The part `file` has no file name, so it is no file. {}': '名为 `file` 的部分没有文件名，不是文件。{}',
  'confirm: must be the name of the collection, as in ?confirm={}; all in it is lost':
    'confirm：须为集合的名称，例如 ?confirm={}；其中的一切都将丢失',
  'is not JSON that can be taken: {}': '不是可接受的 JSON：{}',
  'Key not found': '密钥不存在',
  'This key is one of a setting; take it out of API_KEYS.': '此密钥来自设置项，请从 API_KEYS 中移除。',
  'Nobody could look after the keys any more: make a key of scope admin that reaches all collections first.':
    '这样将无人能管理密钥：请先创建一个权限为 admin 且可访问所有集合的密钥。',
  'collections: name some of those that your own key reaches.': 'collections：请从您的密钥可访问的集合中选择。',
  'This server keeps no file of keys: set API_KEYS_FILE, or change API_KEYS and start it again.':
    '本服务器没有密钥文件：请设置 API_KEYS_FILE，或修改 API_KEYS 后重新启动。',
  'name: there is a key of this name; take another name, or revoke that one first.':
    'name：已有同名密钥，请换一个名称，或先撤销原有密钥。',
  'The file of keys was changed, but this server cannot use it as it is now; ask its operator.':
    '密钥文件已更改，但本服务器目前无法使用该文件，请联系管理员。',
  'The key that this began with is no longer good.': '此请求开始时所用的密钥已失效。',
  'The file of keys cannot be read or written by the server; ask its operator.': '服务器无法读写密钥文件，请联系管理员。',
  'metadata: {}': 'metadata：有误：{}',
  'callback_url: {}': 'callback_url：有误：{}',
  'Delivery not found': '没有这次投递',
  'metadata_condition: {} is compared with a number; give one as the value.': 'metadata_condition：{} 是与数字比较，请给出数字。',
  'settings.chunk_overlap: must be at most half of a chunk ({} tokens)': 'settings.chunk_overlap：最多为分块的一半（{} 个词元）',
  '{} is not possible here; use {}.': '这里不支持 {}；请用 {}。',
  'This host name is not served here; ALLOWED_HOSTS can name it.': '这里不提供此主机名的服务；可在 ALLOWED_HOSTS 中加入。',
  'Cannot cancel task in {} status': '任务处于 {} 状态，无法取消',
  'Collection not found': '集合不存在',
  'Document not found': '文档不存在',
  'No API keys are in use; there is nothing to log in to.': '没有使用 API 密钥，无需登录。',
  'Task not found': '任务不存在',
  'There is nothing here.': '这里什么也没有。',
  "No file '{}' found in vector store '{}'.": '文件“{}”不在 vector store“{}”中。',
  'No such File object: {}': '没有这个文件：{}',
  "Vector store '{}' not found.": 'vector store“{}”不存在。',
  'Another upload of this document is on its way.': '此文档的另一次上传正在进行。',
  'It is not the version any more that this request is about.': '文档已不是此请求所指的版本。',
  'There are no versions here that If-Match or If-None-Match could speak of.': '这里没有版本，If-Match、If-None-Match 无从谈起。',
  'There is such a version already (If-None-Match).': '已有这样的版本（If-None-Match）。',
  'Too many requests of this kind are waiting; try again in a moment.': '此类请求等待太多，请稍后再试。',
  'The queue is full: {} documents are waiting. Try again later.': '队列已满：有 {} 个文档在等待。请稍后再试。',
  'The quota of this key is used up for today: {} {} a day. It begins anew at 00:00 UTC.':
    '此密钥今天的配额已用完：每天 {} {}。00:00 UTC 重新开始。',
  'There is no such part: it has {} bytes.': '没有所要求的部分：共 {} 字节。',
  'Too many MCP requests at once.': '同时进行的 MCP 请求太多。',
  'Too many event streams are open.': '打开的事件流太多。',
  'Too many requests; slow down.': '请求太频繁，请放慢。',
  'Too many uploads are coming in at once.': '同时进行的上传太多。',
  'Too many wrong logins; try again later.': '登录失败次数太多，请稍后再试。',
  'The login provider did not let you in.': '登录方没有允许您登录。',
  'The login provider has not verified your email address.': '登录方尚未验证您的邮箱。',
  'This API key is not valid.': '此 API 密钥无效。',
  'What the login provider says of you cannot be believed. Begin again.': '登录方给出的身份不可信，请重新登录。',
  'The login provider does not say your {}; OIDC_CLAIM names what people are known by.':
    '登录方没有给出您的 {}；OIDC_CLAIM 指定按什么认人。',
  'FILES_URL: This is not the bucket that holds the files of this database.': 'FILES_URL：此存储桶不是存放该数据库文件的存储桶。',
  'FILES_URL: The files of this database are in an object store; set its address.':
    'FILES_URL：该数据库的文件存放在对象存储中，请设置其地址。',
  'DATABASE_URL: connections of the pooler do not find the tables. Run "rag-intake migrate" with DATABASE_DIRECT_URL set, then RECONNECT in PgBouncer.':
    'DATABASE_URL：连接池的连接找不到表。请设置 DATABASE_DIRECT_URL 后运行 "rag-intake migrate"，再在 PgBouncer 中执行 RECONNECT。',
  'DATABASE_URL: The database cannot be reached.': 'DATABASE_URL：无法连接数据库。',
  'No chat service is set (ANSWER_URL).': '没有设置聊天服务（ANSWER_URL）。',
  'QUEUE_URL: Redis cannot be reached': 'QUEUE_URL：无法连接 Redis',
  'RAG service is not ready.': '服务尚未就绪。',
  'The chat service answered something that is not JSON': '聊天服务的回答不是 JSON',
  'The chat service sent a line without end': '聊天服务发来一行没有尽头的内容',
  'The client has gone.': '客户端已断开。',
  'The collection is still being removed; try again in a moment.': '集合仍在删除，请稍后再试。',
  'The embedder did not answer': '向量模型没有回答',
  'The file is still being read; try again.': '文件仍在读取，请再试。',
  'The index could not be filled from the stored documents.': '无法用已存文档填充索引。',
  'The index has given up this document on its way in; try again': '索引放弃了正在写入的这个文档，请再试',
  'The index is being built again; try again': '索引正在重建，请再试',
  'The index was made by a newer version of this program: start that one.': '索引由更新版本的程序生成，请启动那个版本。',
  'The index was set aside; try again': '索引已被移开，请再试',
  'The process that reads documents is not up, or ended; send the file again.': '读取文档的进程没有运行或已结束，请重新发送文件。',
  'The quota of this key cannot be counted now.': '现在无法统计此密钥的配额。',
  'The server is stopping.': '服务器正在停止。',
  'This server has no worker process beside it (--role api), so it reads nothing at once.':
    '此服务器旁没有工作进程（--role api），不能即时读取文件。',
  'Too many requests wait for the database; try again in a moment.': '等待数据库的请求太多，请稍后再试。',
  'DATABASE_URL: The database cannot be used: {}. Run "rag-intake migrate".':
    'DATABASE_URL：数据库无法使用：{}。请运行 "rag-intake migrate"。',
  'DATABASE_URL: The database has tables of version {}; this program knows {}.':
    'DATABASE_URL：数据库中的表是版本 {}，本程序只认识到 {}。',
  'DATABASE_URL: this PostgreSQL is of version {}, and at least {} is needed.': 'DATABASE_URL：PostgreSQL 版本为 {}，至少需要 {}。',
  'DATA_DIR: {} cannot be read': 'DATA_DIR：无法读取 {}',
  'DATA_DIR: the index in {} cannot be opened': 'DATA_DIR：无法打开 {} 中的索引',
  'QUEUE_URL: this Redis cannot be used: {}': 'QUEUE_URL：此 Redis 无法使用：{}',
  'Servers work on this database as it is ({} processes): stop them, then migrate.':
    '仍有服务器在按原样使用此数据库（{} 个进程）：请先停止，再迁移。',
  'SEARCHER: this database is searched by what a newer version of this program knows: start that one.':
    'SEARCHER：此数据库由更新版本的程序才认识的检索引擎检索：请启动新版本。',
  'SEARCHER: this database is searched by {}, not by {}. Run "rag-intake migrate".':
    'SEARCHER：此数据库由 {} 检索，而不是 {}。请运行 "rag-intake migrate"。',
  'SEARCHER: {} finds by words and keeps no vectors, and documents here have some. Run "rag-intake reindex" with EMBEDDER=builtin first.':
    'SEARCHER：{} 按词检索，不保存向量，而这里的文档已有向量。请先以 EMBEDDER=builtin 运行 "rag-intake reindex"。',
  'SEARCHER: it finds by words and keeps no vectors: remove EMBEDDER, or SEARCHER.':
    'SEARCHER：它按词检索，不保存向量：请去掉 EMBEDDER 或 SEARCHER。',
  'The chat service {}': '聊天服务：{}',
  'The chat service answered HTTP {}': '聊天服务回答 HTTP {}',
  'The data directory cannot be used: {}': '数据目录无法使用：{}',
  'Of transfer codings only chunked is known here; use Content-Encoding.': '传输编码只支持 chunked；请用 Content-Encoding。',
  'Of content codings gzip, deflate, br and zstd are known here, one at a time.':
    '内容编码支持 gzip、deflate、br、zstd，一次一种。',
  'Send NDJSON, one JSON object a line, as application/x-ndjson, or a ZIP archive as application/zip.':
    '请以 application/x-ndjson 发送 NDJSON（每行一个 JSON 对象），或以 application/zip 发送 ZIP 压缩包。',
  'Send parts as they are, without a Content-Transfer-Encoding (RFC 7578 §4.7).':
    '各部分请原样发送，不要用 Content-Transfer-Encoding（RFC 7578 §4.7）。',
  'Send the file itself as the body; multipart forms go to POST /insert.':
    '请把文件本身作为请求体；multipart 表单发送到 POST /insert。',
  'JSON is UTF-8 (RFC 8259), not the charset that its Content-Type names.':
    'JSON 须为 UTF-8（RFC 8259），而不是 Content-Type 中的字符集。',
  'Send JSON, as {}.': '请发送 JSON，类型为 {}。',
  'Send an API key as Authorization: Bearer, or as X-API-Key.': '请用 Authorization: Bearer 或 X-API-Key 发送 API 密钥。',
  'This login took too long, or began in another browser. Begin again.': '登录用时太久，或是在另一个浏览器中开始的。请重新登录。',
  'The login provider (OIDC_ISSUER) does not answer usefully; try again later, or log in with a key.':
    '登录方（OIDC_ISSUER）没有正常回答；请稍后再试，或用密钥登录。',
};

/** Longest first, so that what says most decides; those without a gap before those with one. */
const patterns = Object.entries(sentences)
  .toSorted(([a], [b]) => Number(a.includes('{}')) - Number(b.includes('{}')) || b.length - a.length)
  .map(
    ([english, chinese]) =>
      [new RegExp(`^${RegExp.escape(english).replaceAll(RegExp.escape('{}'), '(.*)')}$`, 's'), chinese] as const,
  );

/** The same problem for who reads Chinese. */
export function inChinese(problem: Problem): Problem {
  const title = titles[problem.code];
  return { ...problem, title, detail: sentenceInChinese(problem.detail) ?? `${title}（${problem.detail}）` };
}

/** What is longer repeats something that a client has sent, and is not worth looking through. */
const sentenceCharactersMax = 1000;

/** Null for a sentence that is not in the table. */
export function sentenceInChinese(english: string): string | null {
  if (english.length > sentenceCharactersMax) return null;
  for (const [pattern, chinese] of patterns) {
    const found = pattern.exec(english);
    if (found !== null) {
      let gap = 0;
      return chinese.replaceAll('{}', () => found[(gap += 1)] ?? '');
    }
  }
  return null;
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
