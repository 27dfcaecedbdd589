/** Short texts as people write them, 16 in each of 13 languages, with the encoding in which old files of the language usually are. */
export const shortTexts: readonly { readonly language: string; readonly encoding: string; readonly texts: readonly string[] }[] = [
  {
    language: 'German',
    encoding: 'windows-1252',
    texts:
      'Überweisung für März|Gebühr: 4,50 € monatlich|Öffnungszeiten täglich ab 9 Uhr|Bitte Türschild prüfen|Rückgabe nur mit Beleg möglich|Kühlschrank, 85 cm hoch, weiß|Das Gerät läuft wieder|Schöne Grüße, Jörg|Lieferadresse: Bäckerstraße 12|Außendienst: Frau Müller|Zählerstand ablesen|Ersatzschlüssel beim Hausmeister|Fußboden im Flur erneuern|Nächster Termin: 3. Jänner|Fläche in m², Höhe in cm|Temperatur über 30 °C vermeiden',
  },
  {
    language: 'French',
    encoding: 'windows-1252',
    texts:
      'Reçu le 3 février|Facture réglée par chèque|Température extérieure : 12 °C|Prière de fermer la fenêtre|Voilà le résumé demandé|Bâtiment B, deuxième étage|L’été dernier à Besançon|Pièce jointe : modèle de lettre|Coût estimé : 1 200 €|Où déposer la clé du garage|Numéro de téléphone erroné|Règlement intérieur du lycée|Année scolaire commencée|Le maître d’œuvre a signé|Prévoir des gants très épais|Congés payés et arrêts maladie',
  },
  {
    language: 'Spanish',
    encoding: 'windows-1252',
    texts:
      '¿Dónde está la llave?|Año fiscal cerrado|Teléfono móvil y dirección|Contraseña olvidada|Próxima reunión: miércoles|Camión averiado en la carretera|El señor Núñez llegó tarde|Más información en recepción|Habitación 14, baño común|Niños menores de diez años|Recogida de basura: sábado|La última página está vacía|Médico de guardia|Cañería rota en el sótano|¡Atención! Suelo húmedo|Montaña, río y caña de pescar',
  },
  {
    language: 'Polish',
    encoding: 'windows-1250',
    texts:
      'Kwota do zapłaty: 120 zł|Termin płatności minął|Książka zażaleń|Proszę zamknąć drzwi|Wyjście ewakuacyjne|Spółka z ograniczoną odpowiedzialnością|Łazienka na końcu korytarza|Świadectwo pracy i zaświadczenie|Następny pociąg o piątej|Oświadczenie należy podpisać|Gdzie jest żółty segregator?|Zwrot części zamiennych|Urządzenie działa prawidłowo|Ulica Długa 7, Kraków|Skrzynka pełna listów i paczek ąę|Wtorek, środa, piątek',
  },
  {
    language: 'Czech',
    encoding: 'windows-1250',
    texts:
      'Faktura číslo 45|Účet není zaplacen|Prosíme, zavřete dveře|Zítra přijede řidič z Plzně|Výška stolu: 72 cm|Poštovní směrovací číslo|Třetí patro, vpravo|Žádost o dovolenou|Nářadí je ve skříni|Březen, květen a říjen|Příští schůzka v úterý|Děkuji za rychlou odpověď|Lékař ordinuje každý den|Zkouška proběhla úspěšně|Náměstí Míru, Praha|Mléko, sýr, máslo a vejce ěšč',
  },
  {
    language: 'Russian',
    encoding: 'windows-1251',
    texts:
      'Счёт оплачен|Накладная № 17 от 5 мая|Ключи у вахтёра|Выход через двор|Температура в цехе 18 °C|Заявление на отпуск|Второй этаж, налево|Просьба закрывать дверь|Молоко, хлеб и масло|Следующий поезд в пять|Отчёт за март готов|Врач принимает по средам|Улица Садовая, дом 3|Список участников|Итого к оплате: 1500 руб.|Новая версия программы',
  },
  {
    language: 'Ukrainian',
    encoding: 'windows-1251',
    texts:
      'Рахунок сплачено вчасно, дякуємо|Вихід через подвір’я, двері ліворуч|Наступний потяг о п’ятій годині|Лікар приймає щосереди|Ключі в охоронця на першому поверсі|Новий розклад занять для школи|Прохання зачиняти двері|Заява на відпустку від працівника|Молоко, хліб, сир і яйця|Список учасників зібрання|Звіт за березень ще не готовий|Вулиця Шевченка, будинок три|Де мої окуляри і телефон?|Її брат живе у Львові|Перевірте, будь ласка, підпис|Ціна з податком: сто гривень',
  },
  {
    language: 'Greek',
    encoding: 'windows-1253',
    texts:
      'Ο λογαριασμός πληρώθηκε|Έξοδος από την αυλή|Δεύτερος όροφος, αριστερά|Αίτηση άδειας εργαζομένου|Τιμή: 25 € με ΦΠΑ|Το επόμενο τρένο στις πέντε|Παρακαλώ κλείστε την πόρτα|Κατάλογος συμμετεχόντων|Γάλα, ψωμί και τυρί|Ο γιατρός δέχεται κάθε Τετάρτη|Νέα έκδοση του προγράμματος|Θερμοκρασία δωματίου|Πού είναι τα κλειδιά;|Διεύθυνση και τηλέφωνο|Έκθεση Μαρτίου|Καλό ταξίδι σε όλους',
  },
  {
    language: 'Turkish',
    encoding: 'windows-1254',
    texts:
      'Ödeme dün yapıldı|Çıkış arka kapıdan|İkinci kat, sağda|İzin dilekçesi ektedir|Lütfen kapıyı kapatın|Doktor çarşamba günü geliyor|Süt, ekmek ve yağ|Yeni sürüm hazır değil|Oda sıcaklığı 21 °C|Anahtarlar kapıcıda|Katılımcı listesi aşağıda|Şubat ayı raporu gecikti|Sokağın sonundaki bina|Bir sonraki tren beşte|Telefon numarası yanlış|Öğle yemeği saat on ikide',
  },
  {
    language: 'Hebrew',
    encoding: 'windows-1255',
    texts:
      'החשבון שולם אתמול|היציאה דרך החצר|קומה שנייה, שמאלה|נא לסגור את הדלת|חלב, לחם וגבינה|הרופא מקבל ביום רביעי|המפתחות אצל השומר|דוח חודש מרץ מוכן|רשימת משתתפים|מחיר כולל מס: 120|הרכבת הבאה בחמש|טמפרטורת החדר|גרסה חדשה של התוכנה|רחוב הרצל, בניין שלוש|בקשה לחופשה שנתית|איפה הטלפון שלי?',
  },
  {
    language: 'Chinese, simplified',
    encoding: 'gb18030',
    texts:
      '发票已经付款，请查收|二楼会议室左边第三间|请随手关门，谢谢合作|请假申请表需要主管签字|下一班火车五点出发|产品说明书（第二版）|客户名单与联系方式|室内温度：21摄氏度|合计金额：1500元整|三月份销售报告已完成|钥匙放在门卫那里|牛奶、面包和鸡蛋|新版本软件尚未发布|医生每周三上午出诊|地址：北京市朝阳区|电话号码填写错误',
  },
  {
    language: 'Chinese, traditional',
    encoding: 'big5',
    texts:
      '發票已經付款，請查收|二樓會議室左邊第三間|請隨手關門，謝謝合作|請假申請表需要主管簽字|下一班火車五點出發|產品說明書（第二版）|客戶名單與聯絡方式|室內溫度：攝氏21度|合計金額：1500元整|三月份銷售報告已完成|鑰匙放在警衛那裡|牛奶、麵包和雞蛋|新版本軟體尚未發布|醫生每週三上午看診|地址：臺北市中正區|電話號碼填寫錯誤',
  },
  {
    language: 'Japanese',
    encoding: 'shift_jis',
    texts:
      '請求書は支払い済みです|出口は中庭の奥にあります|会議室は二階の左側です|ドアを閉めてください|次の電車は五時に出ます|休暇の申請書を提出する|牛乳とパンと卵を買う|室温は21度です|新しい版はまだありません|参加者の一覧表|三月の売上報告|鍵は守衛室にあります|電話番号が間違っている|医師は水曜日に診察します|合計金額：1500円|住所：東京都千代田区',
  },
  {
    language: 'Korean',
    encoding: 'euc-kr',
    texts:
      '청구서는 지불되었습니다|출구는 마당 뒤에 있습니다|회의실은 이층 왼쪽입니다|문을 닫아 주세요|다음 기차는 다섯 시에 출발|휴가 신청서를 제출하세요|우유와 빵과 달걀|실내 온도는 21도입니다|새 버전은 아직 없습니다|참가자 명단|삼월 판매 보고서|열쇠는 경비실에 있습니다|전화번호가 잘못되었습니다|의사는 수요일에 진료합니다|합계 금액: 1500원|주소: 서울시 종로구',
  },
].map((row) => ({ ...row, texts: row.texts.split('|') }));
