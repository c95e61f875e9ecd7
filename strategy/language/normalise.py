"""A sentence made uniform before it is read: half width, lower case, simplified characters; each character keeps the
offset it had in the original, so that errors point into what the user typed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_TRADITIONAL = (
    "連连|續续|沒没|開开|過过|時时|內内|於于|間间|後后|對对|給给|發发|訂订|單单|戶户|員员|與与|還还|從从|並并|個个|為为|點点|結结|達达|滿满|營营|銷销|郵邮|電电|話话|訪访|門门|"
    "購购|買买|賣卖|錢钱|額额|數数|總总|計计|類类|級级|會会|離离|遠远|進进|設设|備备|擁拥|寫写|頁页|覽览|優优|專专|屬属|壓压|縮缩|夠够|終终|幾几|這这|們们|請请|幫帮|則则|當当|"
    "來来|無无|週周|歲岁|萬万|億亿|兩两|雙双|處处|決决|訴诉|務务|執执|動动|觸触|鐘钟|條条|筆笔|張张|錄录|擊击|瀏浏|邊边|圍围|競竞|臨临|範范|較较|漲涨|減减|餘余|選选|擇择|驗验|"
    "證证|觀观|測测|調调|頻频|預预|導导|歷历|紀纪|應应|該该|實实|現现|產产|業业|機机|險险|貨货|費费|質质|飲饮|鐵铁|網网|頂顶|參参|試试|區区|佔占|絕绝|異异|長长|標标|號号|頭头|"
    "麼么|嗎吗|讓让|將将|種种|檢检|體体|藥药|醫医|養养|師师|課课|學学|習习|報报|團团|轉转|貸贷|駕驾|車车|辦办|約约|維维|護护|"
    "帳账|賬账|針针|紅红|綠绿|藍蓝|黃黄|銀银|鋼钢|鏈链|鍵键|錯错|鎖锁|鏡镜|鑰钥|鈕钮|鈣钙|鎮镇|鑒鉴|鑽钻|銅铜|鋪铺|鉛铅|釘钉|閱阅|閉闭|閃闪|關关|闊阔|閒闲|問问|聞闻|閣阁|闆板|陽阳|陰阴|"
    "陣阵|階阶|際际|隊队|隨随|隱隐|陸陆|雲云|雜杂|難难|霧雾|靜静|響响|顏颜|題题|願愿|顧顾|顯显|順顺|項项|須须|頓顿|頒颁|頸颈|飛飞|飯饭|飽饱|餓饿|館馆|餅饼|饋馈|駐驻|騎骑|騙骗|驅驱|驚惊|"
    "馬马|騰腾|髮发|鬆松|鬥斗|魚鱼|鮮鲜|鳥鸟|鷄鸡|雞鸡|鹽盐|麥麦|麵面|齊齐|齡龄|齒齿|龍龙|龜龟|亂乱|亞亚|親亲|僅仅|償偿|儘尽|儲储|傳传|傷伤|債债|偵侦|側侧|倉仓|倆俩|侶侣|兒儿|兇凶|冊册|"
    "凍冻|凈净|淨净|劃划|劇剧|劉刘|剛刚|創创|劑剂|勞劳|勢势|勝胜|勵励|勸劝|勳勋|匯汇|協协|卻却|厭厌|厲厉|吳吴|啟启|啓启|喚唤|嘗尝|噸吨|嚇吓|嚴严|囑嘱|國国|圖图|圓圆|場场|塊块|堅坚|墊垫|"
    "墜坠|壞坏|壩坝|壽寿|夢梦|夾夹|奪夺|奮奋|婦妇|媽妈|嬰婴|孫孙|審审|寬宽|寶宝|尋寻|層层|島岛|嶺岭|帶带|幣币|庫库|廠厂|廢废|廣广|廳厅|強强|彈弹|彌弥|彎弯|徑径|徹彻|恆恒|悶闷|惡恶|慮虑|"
    "憂忧|慶庆|態态|慣惯|憑凭|懷怀|戀恋|戰战|戲戏|掃扫|掛挂|採采|揚扬|換换|損损|搖摇|搶抢|撥拨|撲扑|撿捡|擔担|據据|擋挡|擠挤|擬拟|擴扩|攔拦|攝摄|攜携|敗败|敵敌|斷断|舊旧|晝昼|暫暂|暢畅|"
    "曬晒|書书|東东|棄弃|棟栋|榮荣|構构|槍枪|樂乐|樓楼|樣样|樹树|橋桥|檔档|權权|櫃柜|歐欧|歡欢|歸归|殘残|殺杀|殼壳|毀毁|氣气|漢汉|湯汤|溝沟|滅灭|溫温|漁渔|漸渐|潔洁|潤润|濕湿|濟济|濾滤|"
    "灣湾|災灾|煙烟|煩烦|熱热|燈灯|燒烧|爛烂|爭争|爺爷|牆墙|狀状|獎奖|獨独|獲获|獻献|環环|瓊琼|畝亩|畢毕|畫画|療疗|癥症|瘋疯|癢痒|盜盗|盡尽|監监|盤盘|眾众|睏困|礎础|碼码|磚砖|確确|禮礼|"
    "禍祸|禦御|稱称|穩稳|積积|窮穷|窩窝|竊窃|節节|築筑|簡简|簽签|籌筹|籃篮|籤签|粵粤|糧粮|糾纠|紋纹|納纳|純纯|紙纸|紛纷|細细|紹绍|組组|經经|綁绑|緊紧|線线|練练|緩缓|編编|緣缘|縣县|績绩|"
    "繳缴|織织|繪绘|繫系|纔才|罰罚|罷罢|聯联|聲声|聰聪|職职|聽听|肅肃|脫脱|腦脑|腫肿|膚肤|膽胆|臉脸|臺台|興兴|舉举|艙舱|艦舰|艱艰|艷艳|莊庄|華华|萊莱|葉叶|蓋盖|蔣蒋|蘇苏|蘋苹|蘭兰|虛虚|"
    "虧亏|蝦虾|蟲虫|術术|衛卫|衝冲|裝装|裡里|裏里|製制|複复|褲裤|見见|規规|視视|覺觉|訊讯|討讨|訓训|託托|記记|許许|評评|診诊|詐诈|詞词|詢询|詩诗|詳详|誇夸|誌志|認认|誕诞|語语|誠诚|誤误|"
    "說说|説说|誰谁|誼谊|談谈|論论|諮咨|諾诺|謀谋|謝谢|講讲|謹谨|譜谱|識识|譽誉|讀读|變变|豐丰|豬猪|貓猫|貝贝|負负|財财|貢贡|貧贫|販贩|責责|貯贮|貴贵|貼贴|賀贺|賃赁|資资|賓宾|賞赏|賠赔|"
    "賢贤|賴赖|贈赠|贊赞|贏赢|趕赶|趙赵|趨趋|踐践|蹤踪|軌轨|軟软|載载|輔辅|輕轻|輛辆|輪轮|輯辑|輸输|轎轿|辭辞|遞递|遲迟|遺遗|適适|遷迁|鄉乡|鄰邻|醬酱|釋释|鈍钝|鉤钩|銳锐|鋁铝|錶表|鍋锅|"
    "鍛锻|鏟铲|閘闸|闖闯|陳陈|領领|頰颊|顆颗|風风|颱台|飄飘|飾饰|駛驶|騷骚|鬧闹|鹹咸|黨党|妳你|牠它|爲为|衆众|峯峰|復复|韓韩|鄭郑|黴霉|檯台|慾欲|捨舍|佈布|閥阀|漿浆|軸轴|鑄铸|鏽锈|曆历|"
    "腎肾|臟脏|髒脏|顱颅|齲龋|癒愈|稅税|貶贬|賺赚|園园"
)
_SIMPLE = {pair[0]: pair[-1] for pair in _TRADITIONAL.split("|") if len(pair) >= 2}
_PLAIN = {"’": "'", "‘": "'", "`": "`", "–": "-", "—": "-", "−": "-", "⇒": "→", "➔": "→", "➜": "→", "⟶": "→", "～": "~"}


@dataclass(frozen=True, slots=True)
class Normal:
    """Normalised text; `starts[i]` is the original offset of its i-th character, `starts[-1]` the original length."""

    text: str
    original: str
    starts: tuple[int, ...]

    def where(self, start: int, end: int) -> dict[str, int]:
        """A span of the normalised text as an error's place in the original."""
        begin, stop = self.starts[start], self.starts[max(end, start)]
        return {"offset": begin, "length": max(stop - begin, 1 if begin < len(self.original) else 0)}

    def said(self, start: int, end: int) -> str:
        """What the user typed there."""
        return self.original[self.starts[start] : self.starts[end]]


def normalise(text: str) -> Normal:
    """NFKC by character, lower case, traditional to simplified for the characters of the fixed vocabulary."""
    out: list[str] = []
    starts: list[int] = []
    for offset, char in enumerate(text):
        plain = unicodedata.normalize("NFKC", _PLAIN.get(char, char)).lower()
        for c in plain:
            out.append(_SIMPLE.get(c, _PLAIN.get(c, c)))
            starts.append(offset)
    return Normal("".join(out), text, (*starts, len(text)))


def plain(text: str) -> str:
    """Only the text of `normalise`."""
    return normalise(text).text
