/** What is wrong with a document, in Chinese: a part of the table in `chinese.ts`, with the same gaps. */

export const documentSentences: Readonly<Record<string, string>> = {
  'No text found in {}': '没有找到文字：{}',
  'No text found in the picture, not even by OCR': '图片中没有找到文字，OCR 也没有识别出文字',
  'No text found, neither as text nor by OCR': '没有找到文字，OCR 也没有识别出文字',
  'No text found: the pages of the OFD are empty': '没有找到文字：OFD 的页面是空的',
  'No text found: the pages of the PDF are empty': '没有找到文字：PDF 的页面是空的',
  'No text found: the pages of the XPS are empty': '没有找到文字：XPS 的页面是空的',
  'No text found: this looks like a scan and OCR is not installed': '没有找到文字：这似乎是扫描件，而 OCR 没有安装',
  'No text found: this looks like a scan and OCR is off (OCR_PAGES=off); remove this setting, then upload it again':
    '没有找到文字：这似乎是扫描件，而 OCR 已关闭（OCR_PAGES=off）；请去掉此设置再上传',
  'No text found: this looks like a scan and OCR is off (OCR_LANGUAGES=off); remove this setting, then upload it again':
    '没有找到文字：这似乎是扫描件，而 OCR 已关闭（OCR_LANGUAGES=off）；请去掉此设置再上传',
  'No text found: this looks like a scan and OCR has none of the languages in OCR_LANGUAGES; correct the setting or install them, then upload it again':
    '没有找到文字：这似乎是扫描件，而 OCR 没有 OCR_LANGUAGES 中的任何语言；请改正此设置或安装这些语言，再上传',
  'None of the {} file(s) in the archive could be read. {}': '压缩包中的 {} 个文件都无法读取。{}',
  'The archive has no files': '压缩包中没有文件',
  'The file has only a signature; upload the file that was signed': '文件中只有签名，请上传被签名的文件',
  'The mailbox has no messages': '邮箱文件中没有邮件',
  'it is empty': '它是空的',

  // Passwords and encryption.
  'The OFD file is encrypted: save it without a password and upload it again': 'OFD 文件已加密：请另存为不设密码的文件再上传',
  'The PDF is encrypted in a way that is not supported: print it as a new PDF and upload that':
    '不支持此 PDF 的加密方式：请打印为新的 PDF 再上传',
  'The PDF is protected by a password, and the password sent with it does not open it': 'PDF 设有密码，而随文件发送的密码打不开它',
  'The PDF is protected by a password: remove the password and upload it again, or send the password with it':
    'PDF 设有密码：请去掉密码再上传，或随文件发送密码',
  'The book is copy-protected (DRM): upload a copy without that protection': '此电子书有版权保护（DRM）：请上传没有这种保护的副本',
  'The file is an encrypted archive; save it without a password and upload it again':
    '文件是加密的压缩包，请不设密码重新打包再上传',
  'The file is encrypted for its recipients ({}): open it in its program, save it decrypted and upload it again':
    '文件只对收件人加密（{}）：请用相应的程序打开，解密后另存再上传',
  'The file is encrypted with a certificate: save it without encryption and upload it again':
    '文件已用证书加密：请另存为不加密的文件再上传',
  'The file is protected by a password in a way that is not supported: remove the password and upload it again':
    '不支持此文件的密码保护方式：请去掉密码再上传',
  'The file is protected by a password, and the password sent with it does not open it': '文件设有密码，而随文件发送的密码打不开它',
  'The file is protected by a password: remove the password and upload it again': '文件设有密码：请去掉密码再上传',
  'The file is protected by a password: remove the password and upload it again, or send the password with it':
    '文件设有密码：请去掉密码再上传，或随文件发送密码',

  // Damage.
  'The OFD file is damaged: its pages are missing': 'OFD 文件已损坏：缺少其页面',
  'The OFD file is damaged: the part that lists its pages cannot be read': 'OFD 文件已损坏：无法读取列出页面的部分',
  'The OpenDocument file is damaged: the part that holds its text cannot be read':
    'OpenDocument 文件已损坏：无法读取存放文字的部分',
  'The PDF is damaged and could not be read': 'PDF 已损坏，无法读取',
  'The PDF is damaged: none of its pages could be read': 'PDF 已损坏：没有一页可以读取',
  'The Word document in XML is damaged: it does not begin as one': 'XML 格式的 Word 文档已损坏：开头不是这种文档',
  'The Word document is damaged: the part that holds its text cannot be read': 'Word 文档已损坏：无法读取存放文字的部分',
  'The XPS file is damaged: its pages are missing': 'XPS 文件已损坏：缺少其页面',
  'The XPS file is damaged: the part that lists its pages cannot be read': 'XPS 文件已损坏：无法读取列出页面的部分',
  'The 7z archive is cut short, or only the first of several volumes: the list of its files is missing':
    '7z 压缩包不完整，或只是多个分卷中的第一个：缺少文件列表',
  'The 7z archive is damaged: the list of its files cannot be read': '7z 压缩包已损坏：无法读取文件列表',
  'The archive is damaged: it has no readable entry': '压缩包已损坏：没有可读取的条目',
  'The archive is damaged: its directory points to a place without an entry': '压缩包已损坏：目录指向没有条目的位置',
  'The book is damaged: it names no file with text': '电子书已损坏：没有列出含文字的文件',
  'The book is damaged: its package document (OPF) is missing': '电子书已损坏：缺少包文档（OPF）',
  'The book is damaged: none of its chapters can be unpacked': '电子书已损坏：没有一章可以解压',
  'The document is damaged: the part that holds its text is missing or cut off': '文档已损坏：存放文字的部分缺失或被截断',
  'The entries of the archive overlap, as only those of a zip bomb or a damaged file do':
    '压缩包的条目互相重叠，只有 ZIP 炸弹或损坏的文件才会这样',
  'The file is damaged and cannot be unpacked': '文件已损坏，无法解压',
  'The file is damaged: its directory cannot be read': '文件已损坏：无法读取目录',
  'The mail is damaged and cannot be read': '邮件已损坏，无法读取',
  'The office document in XML is damaged: it has no parts': 'XML 格式的 Office 文档已损坏：其中没有部件',
  'The packed file is damaged and cannot be unpacked': '压缩文件已损坏，无法解压',
  'The packed mail is damaged, or unpacks to too much (MAX_UNPACK_RATIO)': '压缩的邮件已损坏，或解压后过大（MAX_UNPACK_RATIO）',
  'The part {} declares XML entities, which are not supported': '部件 {} 声明了 XML 实体，不支持这种文件',
  'The part {} has an element with more than {} attributes': '部件 {} 中有元素的属性超过 {} 个',
  'The part {} has one tag or comment of more than {} characters': '部件 {} 中有标签或注释超过 {} 个字符',
  'The part {} is compressed by method {}, which is not supported': '部件 {} 用方法 {} 压缩，不支持这种方法',
  'The part {} is damaged and cannot be unpacked': '部件 {} 已损坏，无法解压',
  'The part {} is missing': '缺少部件 {}',
  'The picture is damaged or of a kind that OCR cannot read': '图片已损坏，或是 OCR 无法读取的类型',
  'The picture is damaged: its size cannot be read': '图片已损坏：无法读取尺寸',
  'The presentation is damaged: the parts of its slides are missing': '演示文稿已损坏：缺少存放幻灯片内容的部分',
  'The presentation is damaged: its list of slides cannot be read': '演示文稿已损坏：无法读取幻灯片列表',
  'The protected file is damaged: its encryption settings cannot be read': '受保护的文件已损坏：无法读取加密设置',
  'The protected file is damaged: its key or its content is missing': '受保护的文件已损坏：缺少密钥或内容',
  'The workbook is damaged: its beginning cannot be read': '工作簿已损坏：无法读取开头',
  'The workbook is damaged: its list of sheets cannot be read': '工作簿已损坏：无法读取工作表列表',
  'The workbook is damaged: the part that holds its sheets is missing': '工作簿已损坏：缺少存放工作表的部分',
  'The {} is damaged: the part that holds its text is missing': '文件（{}）已损坏：缺少存放文字的部分',
  'the PDF could not be read any further': 'PDF 后面的部分无法读取',

  // Limits.
  'A slide has more than {} table cells (MAX_CELLS)': '一张幻灯片中的表格单元格超过 {} 个（MAX_CELLS）',
  'Opening the file takes more than {} rounds of hashing': '打开文件需要的散列运算超过 {} 轮',
  'PDFium has no memory left for the table of a font': 'PDFium 没有足够的内存读取字体表',
  'The JSON has more than {} values (MAX_CELLS)': 'JSON 中的值超过 {} 个（MAX_CELLS）',
  'The JSON is nested deeper than {} levels (MAX_NESTING)': 'JSON 嵌套超过 {} 层（MAX_NESTING）',
  'The OFD has {} pages, more than {} (MAX_PAGES)': 'OFD 有 {} 页，超过 {} 页（MAX_PAGES）',
  'The PDF has {} pages, more than {} (MAX_PAGES)': 'PDF 有 {} 页，超过 {} 页（MAX_PAGES）',
  'The XPS has {} pages, more than {} (MAX_PAGES)': 'XPS 有 {} 页，超过 {} 页（MAX_PAGES）',
  'The PDF has more than {} characters of text (MAX_CHARACTERS)': 'PDF 的文字超过 {} 个字符（MAX_CHARACTERS）',
  'The PDF needs more than {} MB of memory to be read (MAX_PDF_MEMORY_MB)': '读取此 PDF 需要的内存超过 {} MB（MAX_PDF_MEMORY_MB）',
  'The RTF is nested deeper than {} groups (MAX_NESTING)': 'RTF 嵌套超过 {} 层（MAX_NESTING）',
  'The archive has more than {} entries (MAX_ARCHIVE_ENTRIES)': '压缩包中的条目超过 {} 个（MAX_ARCHIVE_ENTRIES）',
  'The document has more than {} characters of text, {} counted for each paragraph (MAX_CHARACTERS)':
    '文档的文字超过 {} 个字符，每个段落另计 {} 个（MAX_CHARACTERS）',
  'The document has more than {} table cells (MAX_CELLS)': '文档中的表格单元格超过 {} 个（MAX_CELLS）',
  'The file has more than {} XML elements (a million, and {} for each cell of MAX_CELLS)':
    '文件中的 XML 元素超过 {} 个（一百万个，MAX_CELLS 的每个单元格另加 {} 个）',
  'The file has more than {} characters of text (MAX_CHARACTERS)': '文件的文字超过 {} 个字符（MAX_CHARACTERS）',
  'The file has more than {} parts (MAX_ARCHIVE_ENTRIES)': '文件中的部件超过 {} 个（MAX_ARCHIVE_ENTRIES）',
  'The file has more than {} slides or sheets (MAX_PAGES)': '文件中的幻灯片或工作表超过 {} 个（MAX_PAGES）',
  'The file unpacks to more than {} bytes (MAX_UNPACKED_BYTES)': '文件解压后超过 {} 字节（MAX_UNPACKED_BYTES）',
  'The file unpacks to more than {} times its packed size (MAX_UNPACK_RATIO)': '文件解压后超过原来大小的 {} 倍（MAX_UNPACK_RATIO）',
  'The mail is nested deeper than {} parts (MAX_NESTING)': '邮件嵌套超过 {} 层（MAX_NESTING）',
  'The part {} has more than {} bytes, the most that is read of it': '部件 {} 超过 {} 字节，这是可读取的上限',
  'The part {} has more than {} elements (a fixed limit, in addition to MAX_CELLS)':
    '部件 {} 中的元素超过 {} 个（MAX_CELLS 之外的固定上限）',
  'The part {} nests deeper than {} elements (MAX_NESTING)': '部件 {} 嵌套超过 {} 层（MAX_NESTING）',
  'The part {} unpacks to more than {} times its packed size (MAX_UNPACK_RATIO)':
    '部件 {} 解压后超过原来大小的 {} 倍（MAX_UNPACK_RATIO）',
  'The picture has {} × {} pixels, more than {} (MAX_PICTURE_PIXELS)': '图片有 {} × {} 像素，超过 {}（MAX_PICTURE_PIXELS）',
  'The presentation has more than {} slides (MAX_PAGES)': '演示文稿的幻灯片超过 {} 张（MAX_PAGES）',
  'The presentation has more than {} table cells (MAX_CELLS)': '演示文稿中的表格单元格超过 {} 个（MAX_CELLS）',
  'The workbook has more than {} cells with content (MAX_CELLS)': '工作簿中有内容的单元格超过 {} 个（MAX_CELLS）',
  'The workbook has more than {} different texts (MAX_CELLS)': '工作簿中不同的文字超过 {} 种（MAX_CELLS）',
  'The workbook has more than {} sheets (MAX_PAGES)': '工作簿的工作表超过 {} 个（MAX_PAGES）',
  'it is larger than the memory that a PDF may take (MAX_PDF_MEMORY_MB)': '它大于一个 PDF 可用的内存（MAX_PDF_MEMORY_MB）',
  'Unpacking it takes a dictionary of more than {} bytes: pack it with a smaller one and upload it again':
    '解压它需要超过 {} 字节的字典：请用较小的字典重新打包再上传',
  'it is packed by {}, which is not read: pack it by LZMA2 or as ZIP and upload that':
    '它用 {} 压缩，不读取这种方法：请改用 LZMA2 或打包成 ZIP 再上传',
  'it is larger than {} bytes, the limit for a file inside another': '它超过 {} 字节，这是文件中的文件的上限',
  'Files inside other files are not read': '不读取文件中的文件',
  'The {} {} was not read: {}': '没有读取{word} {}：{}',
  'The part {} was not read: {}': '没有读取部件 {}：{}',

  // Time, and the server's own failures.
  'Drawing a page for OCR took longer than allowed (PAGE_TIMEOUT_MS)': '为 OCR 绘制页面超时（PAGE_TIMEOUT_MS）',
  'Page {} took longer than {} ms to read (PAGE_TIMEOUT_MS)': '读取第 {} 页超过 {} 毫秒（PAGE_TIMEOUT_MS）',
  'Reading the text in a picture took longer than {} ms (PAGE_TIMEOUT_MS)': '识别图片中的文字超过 {} 毫秒（PAGE_TIMEOUT_MS）',
  'Reading the text in a picture made no progress on the server': '服务器识别图片中的文字时没有进展',
  '{} took longer than {} s ({})': '{word}超过 {} 秒（{}）',
  '{} made no progress on the server within {} s; the document is not the cause': '{word}在服务器上 {} 秒内没有进展；原因不在文档',
  'The document could not be processed': '文档无法处理',
  'The thread that read the document stopped unexpectedly': '读取文档的线程意外停止',
  'The worker process stopped unexpectedly on each of {} attempts at this document; it is not tried again':
    '工作进程 {} 次处理此文档，每次都意外停止；不再重试',
  'The uploaded file is no longer stored; upload it again': '上传的文件已不再保存，请重新上传',
  'The document was deleted while this upload was waiting or running': '此次上传等待或处理期间，文档已被删除',
  'The server could not read or write its disk while processing the document': '处理文档时，服务器无法读写磁盘',
  'Something went wrong on the server while processing the document; its log has the details':
    '处理文档时服务器出错；详情见服务器日志',
  'The ONNX model in EMBEDDER_MODEL_DIR cannot be loaded': '无法加载 EMBEDDER_MODEL_DIR 中的 ONNX 模型',
  'The ONNX model in RERANK_MODEL_DIR cannot be loaded': '无法加载 RERANK_MODEL_DIR 中的 ONNX 模型',
  'The ONNX model returned a vector that is not numeric or is all zero': 'ONNX 模型返回的向量不是数字，或全为零',
  'The model service at {} failed: {}': '模型服务 {} 出错：{}',
  'The reranker failed: its answer has no "results"': '重排模型出错：响应中没有 "results"',
  'The reranker failed: its answer is missing texts': '重排模型出错：响应中缺少文本',
  'it answered with HTTP status {}': '返回 HTTP 状态 {}',
  'it cannot be reached': '无法连接',
  'it did not answer within {} ms': '{} 毫秒内没有响应',
};
