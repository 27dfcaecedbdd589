/**
 * A page of each language as people write it, from which `likely-charset.ts` learns which letters follow each other. Written for
 * this purpose. Letters that are rare in a language are there too, in words that have them.
 */
export const languageSamples: Readonly<Record<string, string>> = {
  en: `The meeting was moved to Thursday because the room is being painted. Please send your answers before noon, and bring the signed
    copy of the contract with you. Which of these questions have been answered, and who will check the figures for the second quarter?
    We should have received the parts last week; they were shipped from the warehouse on Friday. Thank you for your help with this.`,
  de: `Die Sitzung wurde auf Donnerstag verschoben, weil der große Raum renoviert wird. Bitte schicken Sie uns die Rückmeldung bis
    spätestens Mittag und bringen Sie die unterschriebene Fassung des Vertrags mit. Für die Prüfung der Zahlen ist die Abteilung in München
    zuständig. Können wir die Lieferung noch vor dem Wochenende erwarten? Größe, Höhe und Gewicht stehen auf dem Schild. Über die Änderung
    müssen alle Mitglieder benachrichtigt werden. Straße, Schlüssel, Tür und Fenster, grüne Wände, schöne Bücher, außerdem Äpfel und Öl. Café und Menü.`,
  fr: `La réunion a été déplacée à jeudi parce que la salle est en travaux. Merci d’envoyer vos réponses avant midi et d’apporter
    l’exemplaire signé du contrat. Où sont les pièces que nous avons reçues la semaine dernière ? Le déjeuner est prévu à une heure, près de la
    gare. Ça n’a pas été très facile, mais le problème est réglé grâce à l’équipe. Les élèves français étudient l’été, même à Noël ; le cœur de la
    forêt, la fenêtre, le château, l’œuvre, le goût, les naïfs, le maïs, la flûte, l’île, dès lundi, voilà, déjà, après, première. Contrôle et qualité.`,
  es: `La reunión se ha trasladado al jueves porque están pintando la sala. Envíen sus respuestas antes del mediodía, por favor, y traigan
    la copia firmada del contrato. ¿Quién revisará las cifras del último trimestre? El niño comió una manzana por la mañana y su compañera
    también. Según la información del año pasado, la compañía española abrirá una oficina aquí. ¡Qué fácil! Los números están en la página
    siguiente; después habrá más. Señor, señora, corazón, árbol, jamás, música, inglés, pingüino, cigüeña, café, útil, teléfono, dirección, atención, piñas.`,
  pt: `A reunião foi transferida para quinta-feira porque a sala está em obras. Enviem as respostas até ao meio-dia e tragam a cópia
    assinada do contrato. Não há informação sobre a situação dos pagamentos; a direção ainda não respondeu. Você já recebeu as peças na semana
    passada? As crianças comeram pão e maçã às três horas. Também é possível, porém difícil. Ações, opções, mãe, irmão, coração, português,
    avô, avó, três, lâmpada, açúcar, saúde, país, línguas, últimos, você, número, estão, à tarde, conteúdo, atenção, condições, São Paulo.`,
  it: `La riunione è stata spostata a giovedì perché stanno ridipingendo la sala. Inviate le risposte prima di mezzogiorno e portate la
    copia firmata del contratto. Chi controllerà le cifre dell’ultimo trimestre? La città è più bella d’estate, però c’è molta umidità. Sarà
    possibile ricevere i pezzi entro venerdì? Così non va; già da lunedì manca il caffè. Qualità, attività, società, università, più, può, né, né, è, là, giù, lunedì, verità, novità.`,
  nl: `De vergadering is verplaatst naar donderdag omdat de zaal wordt geschilderd. Stuur uw antwoord vóór twaalf uur en neem het getekende
    exemplaar van het contract mee. Zijn de onderdelen van vorige week al geleverd? Het één en het ander, coördinatie, geïnteresseerd, financiële ruïne, ideeën, reünie, België, café, zoiets.`,
  sv: `Mötet har flyttats till torsdag eftersom rummet håller på att målas. Skicka era svar före klockan tolv och ta med den underskrivna
    kopian av avtalet. Vem kontrollerar siffrorna för det sista kvartalet? Från och med nästa vecka är kontoret öppet även på lördagar. Åtta små
    flickor går över ån. Det är för kallt på våren, säger läraren. Räksmörgås, kött, hållbar, år, försäljning, också, är, välkommen, överenskommelse.`,
  da: `Mødet er flyttet til torsdag, fordi lokalet bliver malet. Send venligst jeres svar før klokken tolv, og medbring den underskrevne
    kopi af aftalen. Hvem gennemgår tallene for sidste kvartal? Fra næste uge er kontoret også åbent om lørdagen. Små børn går over åen på
    broen. Det er for koldt om foråret, siger læreren. Ærlig, kød, år, først, større, også, være, Århus, København, grøn, brød, æble, måned.`,
  fi: `Kokous on siirretty torstaihin, koska huonetta maalataan. Lähettäkää vastauksenne ennen puoltapäivää ja ottakaa mukaan allekirjoitettu
    sopimus. Kuka tarkistaa viimeisen neljänneksen luvut? Ensi viikolla toimisto on auki myös lauantaisin. Työpöytä, ymmärrän, kysymyksiä, hyvää päivää, tänään, sää, yö, käyttää, tärkeä, älä, mennä.`,
  pl: `Zebranie przeniesiono na czwartek, ponieważ sala jest malowana. Prosimy przesłać odpowiedzi przed południem i zabrać podpisany
    egzemplarz umowy. Kto sprawdzi liczby za ostatni kwartał? W przyszłym tygodniu biuro będzie otwarte także w sobotę. Część zamówień
    została już wysłana. Źródło, życie, łąka, gęś, ćma, dzień, mąż, są, że, może, więc, także, później, książka, miesiąc, świat, właśnie, żółty,
    Łódź, ósmy, śnieg, ręka, pięć, dziękuję, proszę, jeść, móc, nóż, koń, przyjść, człowiek, wartość, dostępność, którą, możliwość, zażółć gęślą jaźń.`,
  cs: `Schůze byla přesunuta na čtvrtek, protože se místnost maluje. Pošlete prosím odpovědi před polednem a přineste podepsaný výtisk
    smlouvy. Kdo zkontroluje čísla za poslední čtvrtletí? Příští týden bude kancelář otevřena také v sobotu. Část zásilky už byla odeslána.
    Děti šly přes řeku, ale loď nepřijela. Můžete říci, kde je nejbližší nádraží? Žluťoučký kůň, účet, úřad, dům, dveře, tři, čtyři, pět, šest, město, věc, být, mít, další, přílohy, číslo, není, že, již, řešení, délka, ťuknout, ň, laň, společnost.`,
  hu: `Az ülést csütörtökre tették át, mert a termet éppen festik. Kérjük, délig küldjék el a válaszukat, és hozzák magukkal a szerződés
    aláírt példányát. Ki ellenőrzi az utolsó negyedév számait? Jövő héten az iroda szombaton is nyitva lesz. Az árvíztűrő tükörfúrógép működik.
    A gyerekek átmentek a folyón, de a hajó nem jött. Köszönöm szépen a segítséget. Első, erős, nő, gyűjtés, fűző, idő, öt, hűtő, Győr, kőszeg, könyv, más, több, új, úr, és, így, őket, először, erőforrás, működő.`,
  ro: `Ședința a fost mutată pe joi pentru că sala este în curs de vopsire. Vă rugăm să trimiteţi răspunsurile până la prânz şi să aduceţi
    copia semnată a contractului. Cine verifică cifrele din ultimul trimestru? Săptămâna viitoare biroul va fi deschis şi sâmbătă. Copiii au
    trecut râul, însă barca n-a venit. Înainte, după, ţară, viaţă, oraş, şcoală, fără, când, România, în, câine, mâine, toţi, aceeaşi, să fie.`,
  hr: `Sastanak je premješten na četvrtak jer se dvorana liči. Molimo pošaljite odgovore prije podneva i ponesite potpisani primjerak
    ugovora. Tko će provjeriti brojke za zadnje tromjesečje? Sljedeći tjedan ured će biti otvoren i subotom. Dođite na vrijeme, hvala što ste
    javili. Žena, čovjek, ključ, već, šest, riječ, kuća, život, još, može, između, rođen, također, područje, kaže, našao.`,
  ru: `Собрание перенесли на четверг, потому что в зале идёт ремонт. Пожалуйста, пришлите ответы до полудня и возьмите с собой подписанный
    экземпляр договора. Кто проверит цифры за последний квартал? На следующей неделе офис будет открыт и в субботу. Часть заказа уже отправлена.
    Дети перешли через реку, но лодка не пришла. Спасибо за помощь. Объявление, подъезд, этот, эксперт, съёмка, щука, ещё, юг, чай, жизнь, фамилия, хорошо, центр, шесть.`,
  uk: `Збори перенесли на четвер, тому що в залі триває ремонт. Будь ласка, надішліть відповіді до полудня та візьміть із собою підписаний
    примірник договору. Хто перевірить цифри за останній квартал? Наступного тижня офіс буде відчинено і в суботу. Її ім’я, є, ґанок, їжа, ще, під’їзд, щастя, життя, зв’язок, цей, Київ.`,
  bg: `Събранието беше преместено за четвъртък, защото залата се боядисва. Моля, изпратете отговорите до обяд и донесете подписания екземпляр
    от договора. Кой ще провери числата за последното тримесечие? Следващата седмица офисът ще бъде отворен и в събота. Български език, също, ъгъл, щастие, първи, въпрос, жена, юли, няма.`,
  el: `Η συνάντηση μεταφέρθηκε την Πέμπτη, επειδή η αίθουσα βάφεται. Παρακαλούμε στείλτε τις απαντήσεις σας πριν από το μεσημέρι και φέρτε το
    υπογεγραμμένο αντίγραφο της σύμβασης. Ποιος θα ελέγξει τα στοιχεία του τελευταίου τριμήνου; Την επόμενη εβδομάδα το γραφείο θα είναι ανοιχτό και το
    Σάββατο. Ευχαριστούμε για τη βοήθεια. Ήλιος, ώρα, ύλη, ψωμί, ξένος, δρόμος, αϋπνία, προϊόν, έργο, άνθρωπος, όλοι, ζωή, Αθήνα, και, είναι.`,
  tr: `Toplantı perşembe gününe alındı, çünkü salon boyanıyor. Lütfen cevaplarınızı öğleden önce gönderin ve sözleşmenin imzalı nüshasını
    getirin. Son çeyreğin rakamlarını kim kontrol edecek? Gelecek hafta ofis cumartesi günü de açık olacak. Çocuklar ırmağı geçti, ama kayık gelmedi.
    Yardımınız için teşekkür ederiz. Güneş, ağaç, dağ, şehir, İstanbul, ışık, öğrenci, üç, çay, değil, için, büyük, küçük, yağmur, müdür, şişe, kağıt, kişi, bölüm, hâlâ.`,
  he: `הפגישה הועברה ליום חמישי כי החדר נצבע. נא לשלוח את התשובות לפני הצהריים ולהביא את העותק החתום של החוזה. מי יבדוק את המספרים של הרבעון האחרון?
    בשבוע הבא המשרד יהיה פתוח גם ביום שישי. הילדים עברו את הנהר אבל הסירה לא הגיעה. תודה על העזרה. שלום, בית, ספר, גדול, טוב, זה, עם, של, ירושלים, ארץ, סוף, קיץ, עץ, כסף. החודש האחרון היה חם מאוד, ולכן
    המשלוח של הלחם והחלב התעכב. לחץ כאן כדי לפתוח את המסמך; מרכז המבקרים נמצא מול תחנת הרכבת, ליד הים.`,
  ar: `تم نقل الاجتماع إلى يوم الخميس لأن القاعة قيد الطلاء. يرجى إرسال الإجابات قبل الظهر وإحضار النسخة الموقعة من العقد. من سيراجع أرقام الربع الأخير؟
    في الأسبوع القادم سيكون المكتب مفتوحا يوم السبت أيضا. عبر الأطفال النهر لكن القارب لم يصل. شكرا على المساعدة. مؤسسة، شيء، آخر، إذا، على، هذا، التي، كان، غرفة، ضوء، ثلاثة، خط، ذهب، صباح، ظل. وصلت الشحنة متأخرة في الشهر
    الماضي، ولذلك لم نفتح المستند. يقع مركز الزوار أمام محطة القطار بجانب البحر، وسعر التذكرة عشرة دنانير.`,
  lt: `Posėdis perkeltas į ketvirtadienį, nes salė dažoma. Prašome atsiųsti atsakymus iki vidurdienio ir atsinešti pasirašytą sutarties
    egzempliorių. Kas patikrins paskutinio ketvirčio skaičius? Kitą savaitę biuras bus atidarytas ir šeštadienį. Vaikai perėjo upę, bet valtis neatplaukė. Ačiū už pagalbą. Žmogus, žodis, šalis, ąžuolas, ęs, įmonė, ūkis, dėl, čia, jų, mūsų, žinių.`,
  lv: `Sanāksme pārcelta uz ceturtdienu, jo zāle tiek krāsota. Lūdzu, nosūtiet atbildes līdz pusdienām un paņemiet līdzi parakstīto līguma
    eksemplāru. Kas pārbaudīs pēdējā ceturkšņa skaitļus? Nākamnedēļ birojs būs atvērts arī sestdien. Bērni pārgāja upi, bet laiva neatnāca. Paldies par palīdzību. Šķēres, ģimene, ķēde, ļoti, ņemt, žurka, čūska, ēka, ūdens, mājā, viņš.`,
  et: `Koosolek viidi üle neljapäevale, sest saali värvitakse. Palun saatke vastused enne keskpäeva ja võtke kaasa lepingu allkirjastatud
    eksemplar. Kes kontrollib viimase kvartali arve? Järgmisel nädalal on kontor avatud ka laupäeval. Lapsed läksid üle jõe, aga paat ei tulnud. Täname abi eest. Õhtu, öö, üks, põhi, tööd, küsimus, šokolaad, võõras, mõte, õige.`,
  vi: `Cuộc họp được chuyển sang thứ năm vì phòng đang sơn lại. Xin gửi câu trả lời trước buổi trưa và mang theo bản hợp đồng đã ký. Ai sẽ kiểm
    tra số liệu của quý cuối? Tuần sau văn phòng cũng mở cửa vào thứ bảy. Cảm ơn sự giúp đỡ của bạn. Việt Nam, người, nước, đường, không, những, với, trẻ em, học sinh, đã, được, của.`,
  th: `การประชุมถูกเลื่อนไปเป็นวันพฤหัสบดีเพราะห้องกำลังทาสี กรุณาส่งคำตอบก่อนเที่ยงและนำสำเนาสัญญาที่ลงนามแล้วมาด้วย ใครจะตรวจสอบตัวเลขของไตรมาสสุดท้าย
    สัปดาห์หน้าสำนักงานจะเปิดในวันเสาร์ด้วย ขอบคุณสำหรับความช่วยเหลือ เด็ก ๆ ข้ามแม่น้ำแต่เรือไม่มา ประเทศไทย ไม่ได้ ที่ มี และ เป็น ของ ให้ ผู้ใหญ่ ปัญหา โรงเรียน`,
};
