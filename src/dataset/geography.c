#include "dataset/geography.h"

const Zone dataset_zones[ZONE_COUNT] = {
    {"ZONE-NC", "North Central", 920, 730}, {"ZONE-NE", "North East", 1080, 1200},
    {"ZONE-NW", "North West", 1180, 730},   {"ZONE-SE", "South East", 600, 750},
    {"ZONE-SS", "South South", 540, 640},   {"ZONE-SW", "South West", 720, 410},
};

/* Names of LGAs as the constitution lists them, in the spelling in common use. */
const StateRecord dataset_states[STATE_COUNT] = {
    {"NG-AB", "Abia", ZONE_SE, 17, 4143, 553, 749,
     "Aba North|Aba South|Arochukwu|Bende|Ikwuano|Isiala Ngwa North|Isiala Ngwa South|"
     "Isuikwuato|Obi Ngwa|Ohafia|Osisioma|Ugwunagbo|Ukwa East|Ukwa West|Umuahia North|"
     "Umuahia South|Umu Nneochi"},
    {"NG-AD", "Adamawa", ZONE_NE, 21, 4902, 933, 1240,
     "Demsa|Fufure|Ganye|Gayuk|Girei|Gombi|Hong|Jada|Lamurde|Madagali|Maiha|Mayo Belwa|"
     "Michika|Mubi North|Mubi South|Numan|Shelleng|Song|Toungo|Yola North|Yola South"},
    {"NG-AK", "Akwa Ibom", ZONE_SS, 31, 4979, 501, 785,
     "Abak|Eastern Obolo|Eket|Esit Eket|Essien Udim|Etim Ekpo|Etinan|Ibeno|"
     "Ibesikpo Asutan|Ibiono-Ibom|Ika|Ikono|Ikot Abasi|Ikot Ekpene|Ini|Itu|Mbo|Mkpat-Enin|"
     "Nsit-Atai|Nsit-Ibom|Nsit-Ubium|Obot Akara|Okobo|Onna|Oron|Oruk Anam|Udung-Uko|"
     "Ukanafun|Uruan|Urue-Offong/Oruko|Uyo"},
    {"NG-AN", "Anambra", ZONE_SE, 21, 5953, 622, 707,
     "Aguata|Anambra East|Anambra West|Anaocha|Awka North|Awka South|Ayamelum|Dunukofia|"
     "Ekwusigo|Idemili North|Idemili South|Ihiala|Njikoka|Nnewi North|Nnewi South|Ogbaru|"
     "Onitsha North|Onitsha South|Orumba North|Orumba South|Oyi"},
    {"NG-BA", "Bauchi", ZONE_NE, 20, 8308, 1031, 984,
     "Alkaleri|Bauchi|Bogoro|Damban|Darazo|Dass|Gamawa|Ganjuwa|Giade|Itas/Gadau|Jama'are|"
     "Katagum|Kirfi|Misau|Ningi|Shira|Tafawa Balewa|Toro|Warji|Zaki"},
    {"NG-BY", "Bayelsa", ZONE_SS, 8, 2537, 492, 626,
     "Brass|Ekeremor|Kolokuma/Opokuma|Nembe|Ogbia|Sagbama|Southern Ijaw|Yenagoa"},
    {"NG-BE", "Benue", ZONE_NC, 23, 6141, 773, 854,
     "Ado|Agatu|Apa|Buruku|Gboko|Guma|Gwer East|Gwer West|Katsina-Ala|Konshisha|Kwande|"
     "Logo|Makurdi|Obi|Ogbadibo|Ohimini|Oju|Okpokwu|Otukpo|Tarka|Ukum|Ushongo|Vandeikya"},
    {"NG-BO", "Borno", ZONE_NE, 27, 6111, 1183, 1315,
     "Abadam|Askira/Uba|Bama|Bayo|Biu|Chibok|Damboa|Dikwa|Gubio|Guzamala|Gwoza|Hawul|Jere|"
     "Kaga|Kala/Balge|Konduga|Kukawa|Kwaya Kusar|Mafa|Magumeri|Maiduguri|Marte|Mobbar|"
     "Monguno|Ngala|Nganzai|Shani"},
    {"NG-CR", "Cross River", ZONE_SS, 18, 4406, 498, 834,
     "Abi|Akamkpa|Akpabuyo|Bakassi|Bekwarra|Biase|Boki|Calabar Municipal|Calabar South|"
     "Etung|Ikom|Obanliku|Obubra|Obudu|Odukpani|Ogoja|Yakuur|Yala"},
    {"NG-DE", "Delta", ZONE_SS, 25, 5636, 620, 673,
     "Aniocha North|Aniocha South|Bomadi|Burutu|Ethiope East|Ethiope West|Ika North East|"
     "Ika South|Isoko North|Isoko South|Ndokwa East|Ndokwa West|Okpe|Oshimili North|"
     "Oshimili South|Patani|Sapele|Udu|Ughelli North|Ughelli South|Ukwuani|Uvwie|"
     "Warri North|Warri South|Warri South West"},
    {"NG-EB", "Ebonyi", ZONE_SE, 13, 3242, 632, 811,
     "Abakaliki|Afikpo North|Afikpo South|Ebonyi|Ezza North|Ezza South|Ikwo|Ishielu|Ivo|"
     "Izzi|Ohaozara|Ohaukwu|Onicha"},
    {"NG-ED", "Edo", ZONE_SS, 18, 4777, 634, 562,
     "Akoko-Edo|Egor|Esan Central|Esan North-East|Esan South-East|Esan West|"
     "Etsako Central|Etsako East|Etsako West|Igueben|Ikpoba-Okha|Oredo|Orhionmwon|"
     "Ovia North-East|Ovia South-West|Owan East|Owan West|Uhunmwonde"},
    {"NG-EK", "Ekiti", ZONE_SW, 16, 3592, 762, 522,
     "Ado Ekiti|Efon|Ekiti East|Ekiti South-West|Ekiti West|Emure|Gbonyin|Ido Osi|Ijero|"
     "Ikere|Ikole|Ilejemeje|Irepodun/Ifelodun|Ise/Orun|Moba|Oye"},
    {"NG-EN", "Enugu", ZONE_SE, 17, 4690, 645, 750,
     "Aninri|Awgu|Enugu East|Enugu North|Enugu South|Ezeagu|Igbo Etiti|Igbo Eze North|"
     "Igbo Eze South|Isi Uzo|Nkanu East|Nkanu West|Nsukka|Oji River|Udenu|Udi|Uzo-Uwani"},
    {"NG-FC", "Federal Capital Territory", ZONE_NC, 6, 3067, 906, 749,
     "Abaji|Abuja Municipal|Bwari|Gwagwalada|Kuje|Kwali"},
    {"NG-GO", "Gombe", ZONE_NE, 11, 3960, 1029, 1117,
     "Akko|Balanga|Billiri|Dukku|Funakaye|Gombe|Kaltungo|Kwami|Nafada|Shongom|Yamaltu/Deba"},
    {"NG-IM", "Imo", ZONE_SE, 27, 5459, 548, 703,
     "Aboh Mbaise|Ahiazu Mbaise|Ehime Mbano|Ezinihitte|Ideato North|Ideato South|"
     "Ihitte/Uboma|Ikeduru|Isiala Mbano|Isu|Mbaitoli|Ngor Okpala|Njaba|Nkwerre|Nwangele|"
     "Obowo|Oguta|Ohaji/Egbema|Okigwe|Onuimo|Orlu|Orsu|Oru East|Oru West|Owerri Municipal|"
     "Owerri North|Owerri West"},
    {"NG-JI", "Jigawa", ZONE_NW, 27, 7499, 1176, 934,
     "Auyo|Babura|Biriniwa|Birnin Kudu|Buji|Dutse|Gagarawa|Garki|Gumel|Guri|Gwaram|Gwiwa|"
     "Hadejia|Jahun|Kafin Hausa|Kaugama|Kazaure|Kiri Kasama|Kiyawa|Maigatari|Malam Madori|"
     "Miga|Ringim|Roni|Sule Tankarkar|Taura|Yankwashi"},
    {"NG-KD", "Kaduna", ZONE_NW, 23, 9032, 1052, 744,
     "Birnin Gwari|Chikun|Giwa|Igabi|Ikara|Jaba|Jema'a|Kachia|Kaduna North|Kaduna South|"
     "Kagarko|Kajuru|Kaura|Kauru|Kubau|Kudan|Lere|Makarfi|Sabon Gari|Sanga|Soba|"
     "Zangon Kataf|Zaria"},
    {"NG-KN", "Kano", ZONE_NW, 44, 15462, 1200, 852,
     "Ajingi|Albasu|Bagwai|Bebeji|Bichi|Bunkure|Dala|Dambatta|Dawakin Kudu|Dawakin Tofa|"
     "Doguwa|Fagge|Gabasawa|Garko|Garun Mallam|Gaya|Gezawa|Gwale|Gwarzo|Kabo|"
     "Kano Municipal|Karaye|Kibiya|Kiru|Kumbotso|Kunchi|Kura|Madobi|Makoda|Minjibir|"
     "Nasarawa|Rano|Rimin Gado|Rogo|Shanono|Sumaila|Takai|Tarauni|Tofa|Tsanyawa|"
     "Tudun Wada|Ungogo|Warawa|Wudil"},
    {"NG-KT", "Katsina", ZONE_NW, 34, 10368, 1299, 760,
     "Bakori|Batagarawa|Batsari|Baure|Bindawa|Charanchi|Dan Musa|Dandume|Danja|Daura|"
     "Dutsi|Dutsin-Ma|Faskari|Funtua|Ingawa|Jibia|Kafur|Kaita|Kankara|Kankia|Katsina|"
     "Kurfi|Kusada|Mai'Adua|Malumfashi|Mani|Mashi|Matazu|Musawa|Rimi|Sabuwa|Safana|"
     "Sandamu|Zango"},
    {"NG-KE", "Kebbi", ZONE_NW, 21, 5563, 1245, 420,
     "Aleiro|Arewa Dandi|Argungu|Augie|Bagudo|Birnin Kebbi|Bunza|Dandi|Fakai|Gwandu|Jega|"
     "Kalgo|Koko/Besse|Maiyama|Ngaski|Sakaba|Shanga|Suru|Wasagu/Danko|Yauri|Zuru"},
    {"NG-KO", "Kogi", ZONE_NC, 21, 4466, 780, 674,
     "Adavi|Ajaokuta|Ankpa|Bassa|Dekina|Ibaji|Idah|Igalamela-Odolu|Ijumu|Kabba/Bunu|Kogi|"
     "Lokoja|Mopa-Muro|Ofu|Ogori/Magongo|Okehi|Okene|Olamaboro|Omala|Yagba East|Yagba West"},
    {"NG-KW", "Kwara", ZONE_NC, 16, 3551, 850, 455,
     "Asa|Baruten|Edu|Ekiti|Ifelodun|Ilorin East|Ilorin South|Ilorin West|Irepodun|Isin|"
     "Kaiama|Moro|Offa|Oke Ero|Oyun|Pategi"},
    {"NG-LA", "Lagos", ZONE_SW, 20, 13492, 652, 338,
     "Agege|Ajeromi-Ifelodun|Alimosho|Amuwo-Odofin|Apapa|Badagry|Epe|Eti-Osa|Ibeju-Lekki|"
     "Ifako-Ijaiye|Ikeja|Ikorodu|Kosofe|Lagos Island|Lagos Mainland|Mushin|Ojo|"
     "Oshodi-Isolo|Shomolu|Surulere"},
    {"NG-NA", "Nasarawa", ZONE_NC, 13, 2886, 849, 852,
     "Akwanga|Awe|Doma|Karu|Keana|Keffi|Kokona|Lafia|Nasarawa|Nasarawa Egon|Obi|Toto|Wamba"},
    {"NG-NI", "Niger", ZONE_NC, 25, 6783, 961, 656,
     "Agaie|Agwara|Bida|Borgu|Bosso|Chanchaga|Edati|Gbako|Gurara|Katcha|Kontagora|Lapai|"
     "Lavun|Magama|Mariga|Mashegu|Mokwa|Munya|Paikoro|Rafi|Rijau|Shiroro|Suleja|Tafa|"
     "Wushishi"},
    {"NG-OG", "Ogun", ZONE_SW, 20, 6379, 716, 335,
     "Abeokuta North|Abeokuta South|Ado-Odo/Ota|Egbado North|Egbado South|Ewekoro|Ifo|"
     "Ijebu East|Ijebu North|Ijebu North East|Ijebu Ode|Ikenne|Imeko Afon|Ipokia|"
     "Obafemi Owode|Odeda|Odogbolu|Ogun Waterside|Remo North|Sagamu"},
    {"NG-ON", "Ondo", ZONE_SW, 18, 5316, 725, 519,
     "Akoko North-East|Akoko North-West|Akoko South-East|Akoko South-West|Akure North|"
     "Akure South|Ese Odo|Idanre|Ifedore|Ilaje|Ile Oluji/Okeigbo|Irele|Odigbo|Okitipupa|"
     "Ondo East|Ondo West|Ose|Owo"},
    {"NG-OS", "Osun", ZONE_SW, 30, 4436, 777, 456,
     "Aiyedaade|Aiyedire|Atakunmosa East|Atakunmosa West|Boluwaduro|Boripe|Ede North|"
     "Ede South|Egbedore|Ejigbo|Ife Central|Ife East|Ife North|Ife South|Ifedayo|Ifelodun|"
     "Ila|Ilesa East|Ilesa West|Irepodun|Irewole|Isokan|Iwo|Obokun|Odo Otin|Ola Oluwa|"
     "Olorunda|Oriade|Orolu|Osogbo"},
    {"NG-OY", "Oyo", ZONE_SW, 33, 7976, 738, 394,
     "Afijio|Akinyele|Atiba|Atisbo|Egbeda|Ibadan North|Ibadan North-East|"
     "Ibadan North-West|Ibadan South-East|Ibadan South-West|Ibarapa Central|Ibarapa East|"
     "Ibarapa North|Ido|Irepo|Iseyin|Itesiwaju|Iwajowa|Kajola|Lagelu|Ogbomosho North|"
     "Ogbomosho South|Ogo Oluwa|Olorunsogo|Oluyole|Ona Ara|Orelope|Ori Ire|Oyo East|"
     "Oyo West|Saki East|Saki West|Surulere"},
    {"NG-PL", "Plateau", ZONE_NC, 17, 4717, 990, 886,
     "Barkin Ladi|Bassa|Bokkos|Jos East|Jos North|Jos South|Kanam|Kanke|Langtang North|"
     "Langtang South|Mangu|Mikang|Pankshin|Qua'an Pan|Riyom|Shendam|Wase"},
    {"NG-RI", "Rivers", ZONE_SS, 23, 7476, 482, 703,
     "Abua/Odual|Ahoada East|Ahoada West|Akuku-Toru|Andoni|Asari-Toru|Bonny|Degema|Eleme|"
     "Emuoha|Etche|Gokana|Ikwerre|Khana|Obio/Akpor|Ogba/Egbema/Ndoni|Ogu/Bolo|Okrika|"
     "Omuma|Opobo/Nkoro|Oyigbo|Port Harcourt|Tai"},
    {"NG-SO", "Sokoto", ZONE_NW, 23, 6391, 1306, 524,
     "Binji|Bodinga|Dange Shuni|Gada|Goronyo|Gudu|Gwadabawa|Illela|Isa|Kebbe|Kware|Rabah|"
     "Sabon Birni|Shagari|Silame|Sokoto North|Sokoto South|Tambuwal|Tangaza|Tureta|Wamako|"
     "Wurno|Yabo"},
    {"NG-TA", "Taraba", ZONE_NE, 16, 3609, 889, 1136,
     "Ardo Kola|Bali|Donga|Gashaka|Gassol|Ibi|Jalingo|Karim Lamido|Kurmi|Lau|Sardauna|"
     "Takum|Ussa|Wukari|Yorro|Zing"},
    {"NG-YO", "Yobe", ZONE_NE, 17, 3649, 1175, 1196,
     "Bade|Bursari|Damaturu|Fika|Fune|Geidam|Gujba|Gulani|Jakusko|Karasuwa|Machina|"
     "Nangere|Nguru|Potiskum|Tarmuwa|Yunusari|Yusufari"},
    {"NG-ZA", "Zamfara", ZONE_NW, 14, 5833, 1216, 666,
     "Anka|Bakura|Birnin Magaji/Kiyaw|Bukkuyum|Bungudu|Gummi|Gusau|Kaura Namoda|Maradun|"
     "Maru|Shinkafi|Talata Mafara|Tsafe|Zurmi"},
};
